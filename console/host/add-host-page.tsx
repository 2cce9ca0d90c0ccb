import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";

export function AddHostPage() {
  return (
    <Page>
      <PageHeader title="Add host" />
    </Page>
  );
}
