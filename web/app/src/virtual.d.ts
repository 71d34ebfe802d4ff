// Modules that the build makes.
declare module '*?worker&url' {
  const url: string;
  export default url;
}
declare module 'virtual:emoji-*' {
  /** Character, name, words, group. */
  const rows: [string, string, string, number][];
  export default rows;
}
