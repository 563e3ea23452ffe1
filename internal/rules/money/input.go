package money

import (
	"slices"
	"strings"
	"sync"

	"github.com/bojanz/currency"

	"steward/internal/rules/errs"
)

// ParseInput reads an amount the way people type or paste it into a grid, in
// English (lang "en…") or French ("fr…"):
//
//	12,500   12 500,00   12500.5   12.5k   1.2M   (500)   −500   $1,200   1 200 $
//
// Spaces, no-break spaces and apostrophes group thousands in both languages. A
// lone comma groups in English ("12,500" is twelve thousand five hundred) and is
// the decimal sign in French (the same is twelve and a half). Where both signs
// occur the last one is the decimal sign. What would need guessing ("12,50" in
// English, "12.500" in French) is refused with a message that says so. Suffixes
// are k, M, and B, G or Md for 10^9; parentheses or a leading minus make it negative.
//
// Currency signs and codes are passed over, whichever they are; use ParseInputFor
// where the currency is known. An empty text is an error: clearing a cell is for
// the caller.
func ParseInput(s, lang string) (Amount, error) {
	a, _, err := parseInput(s, lang)
	return a, err
}

// ParseInputFor is ParseInput for an amount in the given currency: the sign or code
// of another currency is an error, so that "€500" does not become 500 dollars. A
// plain "$" stands for any dollar or peso that is written with one.
func ParseInputFor(s, lang, currencyCode string) (Amount, error) {
	a, marks, err := parseInput(s, lang)
	for _, m := range marks {
		if err == nil && !slices.Contains(currencyMarks()[m], currencyCode) {
			return 0, errs.New(errs.Validation, "error.money.currency", "value", strings.TrimSpace(s), "currency", currencyCode)
		}
	}
	return a, err
}

// suffixes are the magnitudes people type behind a number.
var suffixes = []struct {
	text   string
	factor int64
}{{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"m", 1e6}, {"Md", 1e9}, {"B", 1e9}, {"b", 1e9}, {"G", 1e9}}

const digitRunes = "0123456789"

func parseInput(s, lang string) (a Amount, marks []string, err error) {
	before, number, after, ok := cut(s)
	if len(s) > maxText || !ok {
		return 0, nil, notAmount(s)
	}
	before, negative, ok := sign(before, after)
	factor := int64(0)
	tail := strings.TrimSuffix(after, ")")
	for _, suf := range suffixes {
		if rest, found := strings.CutPrefix(tail, suf.text); found && (rest == "" || currencyMarks()[rest] != nil) {
			factor, tail = suf.factor, rest
			break
		}
	}
	if !ok || factor == 0 || before != "" && currencyMarks()[before] == nil {
		return 0, nil, notAmount(s)
	}
	for _, m := range []string{before, tail} {
		if m != "" {
			marks = append(marks, m)
		}
	}
	plain, err := separators(number, strings.HasPrefix(lang, "fr"), s)
	if err != nil {
		return 0, nil, err
	}
	if negative {
		plain = "-" + plain
	}
	a, err = exact(plain, factor, s)
	return a, marks, err
}

// cut divides s at its number: what stands before the first digit (or the point or
// comma before it), the number with its separators, and what follows, spaces
// removed on both sides.
func cut(s string) (before, number, after string, ok bool) {
	first, last := strings.IndexAny(s, digitRunes), strings.LastIndexAny(s, digitRunes)
	if first < 0 {
		return "", "", "", false
	}
	if first > 0 && (s[first-1] == '.' || s[first-1] == ',') {
		first--
	}
	return unspace(s[:first]), s[first : last+1], unspace(s[last+1:]), true
}

// unspace removes every kind of space that number formats use.
func unspace(s string) string {
	return strings.Map(func(r rune) rune {
		if isSpace(r) {
			return -1
		}
		return r
	}, s)
}

func isSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0' || r == '\u202f' || r == '\u2009'
}

// unifySpaces writes every space and apostrophe between digits as a plain space.
func unifySpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if isSpace(r) || r == '\'' || r == '\u2019' {
			return ' '
		}
		return r
	}, s)
}

// sign takes the minus sign or the parenthesis out of what stands before a number.
// Both together, several, or half a pair of parentheses are not amounts.
func sign(before, after string) (rest string, negative, ok bool) {
	minus := strings.Count(before, "-") + strings.Count(before, "\u2212")
	open, closed := strings.Count(before, "("), strings.Count(after, ")")
	if minus+open > 1 || open != closed {
		return "", false, false
	}
	return unsign.Replace(before), minus+open == 1, true
}

var unsign = strings.NewReplacer("-", "", "\u2212", "", "(", "")

// separators returns number with its thousand separators removed and a point as
// the decimal sign. How a sign is understood is written at ParseInput.
func separators(number string, french bool, original string) (string, error) {
	number = unifySpaces(number)
	decimal := -1 // where the decimal sign stands; -1 when there is none
	at := strings.LastIndexAny(number, ".,")
	switch points, commas := strings.Count(number, "."), strings.Count(number, ","); {
	case points > 0 && commas > 0:
		decimal = at
	case points+commas != 1: // none, or a repeated one, which can only group
	case (number[at] == ',') == french:
		decimal = at // the language's own decimal sign
	default: // the other language's decimal sign, alone
		three := len(number)-at-1 == 3
		spaced := strings.Contains(number, " ")
		group := three && !spaced && grouped(number)
		switch {
		case spaced && three, !spaced && group == french:
			return "", errs.New(errs.Validation, "error.money.ambiguous", "value", strings.TrimSpace(original))
		case !group:
			decimal = at
		}
	}
	whole, decimals := number, ""
	if decimal >= 0 {
		whole, decimals = number[:decimal], number[decimal+1:]
	}
	if !grouped(whole) || decimals != "" && !allDigits(decimals) || whole+decimals == "" {
		return "", notAmount(original)
	}
	return ungroup.Replace(whole) + "." + decimals, nil
}

var ungroup = strings.NewReplacer(" ", "", ",", "", ".", "")

// grouped reports whether whole is digits alone, or digits in threes with one
// kind of separator between them. Nothing at all (the front of ".5") is fine.
func grouped(whole string) bool {
	i := strings.IndexAny(whole, " ,.")
	if i < 0 {
		return whole == "" || allDigits(whole)
	}
	parts := strings.Split(whole, whole[i:i+1])
	for n, p := range parts {
		if !allDigits(p) || n == 0 && (len(p) > 3 || p[0] == '0') || n > 0 && len(p) != 3 {
			return false
		}
	}
	return true
}

// currencyMarks lists, for every sign or code an amount may carry (spaces
// removed), the currencies it can mean.
var currencyMarks = sync.OnceValue(func() map[string][]string {
	marks := map[string][]string{}
	for _, code := range currency.GetCurrencyCodes() {
		names := []string{code}
		for _, l := range []string{"en-CA", "fr-CA", "en-US", "fr-FR"} {
			symbol, _ := currency.GetSymbol(code, currency.NewLocale(l))
			symbol = unspace(symbol)
			names = append(names, symbol)
			if strings.Contains(symbol, "$") {
				names = append(names, "$")
			}
		}
		slices.Sort(names)
		for _, m := range slices.Compact(names) {
			marks[m] = append(marks[m], code)
		}
	}
	return marks
})
