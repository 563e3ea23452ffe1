package i18n

import "golang.org/x/text/language"

var matcher = language.NewMatcher([]language.Tag{language.MustParse("en-CA"), language.MustParse("fr-CA")})

// Match chooses a language: the user's setting, else the cookie, else the best of
// the Accept-Language header, else English. Values that name no language the
// product speaks are passed over.
func Match(acceptLanguage, cookie, user string) string {
	for _, s := range []string{user, cookie} {
		if s == English || s == French {
			return s
		}
	}
	wanted, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(wanted) == 0 {
		return English
	}
	_, i, confidence := matcher.Match(wanted...)
	if confidence == language.No {
		return English
	}
	return Languages()[i]
}
