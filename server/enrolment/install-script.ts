import script from "../../deploy/install/install.sh" with { type: "text" };

/** The text of deploy/install/install.sh, inside the executable too. */
export const INSTALL_SCRIPT: string = script;
