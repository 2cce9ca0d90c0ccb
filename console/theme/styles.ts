// Fonts are ours to serve: no page of the console asks another server for anything.
import "@fontsource-variable/archivo/wdth.css";
import "@fontsource-variable/geist-mono/wght.css";
import "./mantine.css";
import "./global.css";
