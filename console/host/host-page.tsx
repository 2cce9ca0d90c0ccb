import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";

export function HostPage() {
  return (
    <Page>
      <PageHeader title="Host" />
    </Page>
  );
}
