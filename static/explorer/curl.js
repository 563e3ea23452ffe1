// curl returns the command that sends body with an API token. Everything stands in single
// quotes, in which a shell reads nothing specially but the quote itself.
export function curl(url, body) {
  const quote = (s) => `'${String(s).replaceAll("'", `'\\''`)}'`;
  return [
    `curl ${quote(url)}`,
    `-H ${quote('Content-Type: application/json')}`,
    '-H "Authorization: Bearer $STEWARD_TOKEN"',
    `--data-raw ${quote(JSON.stringify(body))}`,
  ].join(' \\\n  ');
}
