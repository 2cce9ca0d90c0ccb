import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";

export function JobPage() {
  return (
    <Page>
      <PageHeader title="Job" />
    </Page>
  );
}
