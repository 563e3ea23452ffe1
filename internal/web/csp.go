package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"

	"steward/internal/rules/errs"
)

// violation is what a browser reports that it refused to load or run, in the older form and in that of the
// Reporting API. The page's address is left out: it holds what people search for.
type violation struct {
	Directive string `json:"effective-directive"`
	Blocked   string `json:"blocked-uri"`
	Source    string `json:"source-file"`
	Line      int    `json:"line-number"`
}

// cspReport logs what a browser refused to load or run. Reports come from anybody, so only what is known to be
// harmless is logged, and nothing is ever shown.
func (s *site) cspReport(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
	if err != nil {
		return errs.New(errs.Limit, "error.limit")
	}
	for _, x := range violations(body) {
		s.Log.WarnContext(r.Context(), "content security policy", slog.String("directive", x.Directive), slog.String("blocked", x.Blocked),
			slog.String("source", x.Source), slog.Int("line", x.Line))
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// violations reads a report; of what is none, one is told that says nothing.
func violations(body []byte) (out []violation) {
	var old struct {
		Report violation `json:"csp-report"`
	}
	var list []struct {
		Body struct {
			EffectiveDirective, BlockedURL, SourceFile string
			LineNumber                                 int
		}
	}
	if json.Unmarshal(body, &list) == nil {
		for _, x := range list[:min(len(list), 10)] {
			out = append(out, violation{x.Body.EffectiveDirective, x.Body.BlockedURL, x.Body.SourceFile, x.Body.LineNumber})
		}
	} else {
		_ = json.Unmarshal(body, &old)
		out = append(out, old.Report)
	}
	for i, x := range out {
		out[i] = violation{word(x.Directive), originOf(x.Blocked), originOf(x.Source), x.Line}
	}
	return out
}

// term is a directive, or one of the words that browsers report in an address's place.
var term = regexp.MustCompile(`^[a-z-]{1,30}$`)

func word(text string) string {
	if term.MatchString(text) {
		return text
	}
	return ""
}

// originOf returns scheme and host of an address, or the word in its place.
func originOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Scheme + "://" + u.Host
	}
	return word(address)
}
