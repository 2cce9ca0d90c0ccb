declare module "rapidoc/dist/rapidoc-min.js.gz" {
  /** Where the file lies, in the package or in the executable. */
  const path: string;
  export default path;
}
