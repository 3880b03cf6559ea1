/** A module as tables name it: its path, and of a packed weight the role that is meant. */
export function moduleLabel({ modulePath, role }: { readonly modulePath: string; readonly role?: string }): string {
  return role === undefined ? modulePath : `${modulePath} (${role})`;
}
