import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";

export function FleetPage() {
  return (
    <Page>
      <PageHeader title="Fleet" />
    </Page>
  );
}
