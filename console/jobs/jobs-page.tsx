import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";

export function JobsPage() {
  return (
    <Page>
      <PageHeader title="Jobs" />
    </Page>
  );
}
