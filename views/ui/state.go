package ui

import (
	"hash/fnv"
	"net/url"
	"strings"
	"unicode"
)

// hue returns one of the six avatar colours, always the same for an id.
func hue(id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return string(rune('a' + h.Sum32()%6))
}

// initials returns the first letters of the first and last word of a name.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '-' })
	if len(words) == 0 {
		return "?"
	}
	out := []rune{first(words[0])}
	if len(words) > 1 {
		out = append(out, first(words[len(words)-1]))
	}
	return strings.ToUpper(string(out))
}

func first(word string) rune {
	for _, r := range word {
		return r
	}
	return '?'
}

// safeURL reports whether address may become a link: absolute, https, with a
// host, without user name or control characters. It returns the address as parsed.
func safeURL(address string) (link, host string, ok bool) {
	if strings.ContainsFunc(address, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf) || unicode.IsSpace(r) || r == '\\'
	}) {
		return "", "", false
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return "", "", false
	}
	return u.String(), u.Host, true
}

// rest returns what follows the host in a link, without a lone slash.
func rest(link, host string) string {
	return strings.TrimSuffix(strings.TrimPrefix(link, "https://"+host), "/")
}
