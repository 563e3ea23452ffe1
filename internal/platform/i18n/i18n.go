// Package i18n holds every word the product shows, in English and French, and
// writes numbers, money, days and instants the way each language does.
//
// Messages live in locales/<area>.en.json and locales/<area>.fr.json; each area
// owns its pair and all files are loaded. Any layer above the rules may use it;
// it reads nothing but its embedded files.
package i18n

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"steward/internal/rules/civil"
)

// The languages the product speaks, as used in URLs, cookies and user settings.
const (
	English = "en"
	French  = "fr"
)

// Languages lists the languages in the order they are offered; the first is the default.
func Languages() []string { return []string{English, French} }

// Name returns what a language calls itself: "English", "Français".
func Name(lang string) string {
	if pick(lang) == French {
		return "Français"
	}
	return "English"
}

// Other returns the language the switch in the top bar leads to.
func Other(lang string) string {
	if pick(lang) == French {
		return English
	}
	return French
}

// Locale returns the BCP 47 tag for the lang attribute: "en-CA" or "fr-CA".
func Locale(lang string) string { return pick(lang) + "-CA" }

// pick turns anything said about a language into one the product speaks.
func pick(lang string) string {
	if len(lang) >= 2 && strings.EqualFold(lang[:2], French) {
		return French
	}
	return English
}

//go:embed locales/*.json
var files embed.FS

type catalogue struct {
	bundle *i18n.Bundle
	by     map[string]*i18n.Localizer
}

var messages = sync.OnceValue(func() catalogue {
	b := i18n.NewBundle(language.English)
	b.RegisterUnmarshalFunc("json", json.Unmarshal)
	entries, err := files.ReadDir("locales")
	if err != nil {
		panic(err) // embedded at build time
	}
	for _, e := range entries {
		if _, err := b.LoadMessageFileFS(files, "locales/"+e.Name()); err != nil {
			panic(fmt.Sprintf("i18n: %s: %v", e.Name(), err)) // a file that does not parse must not ship
		}
	}
	c := catalogue{b, map[string]*i18n.Localizer{}}
	for _, l := range Languages() {
		c.by[l] = i18n.NewLocalizer(b, l)
	}
	return c
})

// T returns the message key in lang. Args are name, value pairs that fill
// {{.name}}; the value called "n" also chooses the plural form and is written
// with the language's digit grouping. Days, months and instants are written as
// Date, Period and Time write them; instants in UTC, see C for the reader's zone.
//
// A key without a message panics under "go test" and is returned as it is
// otherwise, so that a page with a gap is still a page.
func T(lang, key string, args ...any) string { return text(lang, nil, key, args) }

func text(lang string, zone *time.Location, key string, args []any) string {
	s, err := translate(lang, zone, key, args)
	if err != nil && testing.Testing() {
		panic(fmt.Sprintf("i18n: %s %q: %v", pick(lang), key, err))
	}
	if s == "" {
		return key
	}
	return s
}

// Has reports whether key has a message in lang.
func Has(lang, key string) bool { _, err := translate(lang, nil, key, nil); return err == nil }

func translate(lang string, zone *time.Location, key string, args []any) (string, error) {
	c := i18n.LocalizeConfig{MessageID: key}
	data := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		name := fmt.Sprint(args[i])
		if name == "n" {
			c.PluralCount = args[i+1]
		}
		data[name] = show(lang, zone, name, args[i+1])
	}
	c.TemplateData = data
	return messages().by[pick(lang)].Localize(&c)
}

func show(lang string, zone *time.Location, name string, v any) any {
	switch t := v.(type) {
	case time.Time:
		return Time(lang, t, zone)
	case civil.Date:
		return Date(lang, t)
	case civil.Period:
		return Period(lang, t)
	case int:
		if name == "n" {
			return Number(lang, float64(t), 0)
		}
	case int64:
		if name == "n" {
			return Number(lang, float64(t), 0)
		}
	}
	return v
}

type (
	langKey struct{}
	zoneKey struct{}
)

// With returns a context whose language is lang. The web layer sets it once per
// request; components read their own few words ("Close", "Next page") from it.
func With(ctx context.Context, lang string) context.Context {
	return context.WithValue(ctx, langKey{}, pick(lang))
}

// From returns the language of ctx, English when none was set.
func From(ctx context.Context) string {
	if l, ok := ctx.Value(langKey{}).(string); ok {
		return l
	}
	return English
}

// WithZone returns a context whose instants are shown on the clock of zone.
func WithZone(ctx context.Context, zone *time.Location) context.Context {
	return context.WithValue(ctx, zoneKey{}, zone)
}

// Zone returns the time zone of ctx, UTC when none was set.
func Zone(ctx context.Context) *time.Location {
	if z, ok := ctx.Value(zoneKey{}).(*time.Location); ok && z != nil {
		return z
	}
	return time.UTC
}

// C is T in the language and time zone of ctx.
func C(ctx context.Context, key string, args ...any) string {
	return text(From(ctx), Zone(ctx), key, args)
}
