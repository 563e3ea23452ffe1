package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestStrangers (PG-9): an address that tries one token after the other is told to wait; what it says of itself in
// X-Forwarded-For changes nothing, and whose token is good is answered all the while.
func TestStrangers(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--rate-reads", "60")
		good := token(t, database, "portfolio-manager")
		try := func(n int, secret string) (int, string) {
			r, _ := http.NewRequest(http.MethodPost, "http://"+a.Addr()+"/graphql", strings.NewReader(`{"query":"{ viewer { roles } }"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+secret)
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", n))
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			var body struct {
				Errors []struct{ Extensions struct{ Code string } }
			}
			if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode == http.StatusTooManyRequests && (answer.Header.Get("Retry-After") == "" || body.Errors[0].Extensions.Code != "LIMIT") {
				t.Errorf("429 without a word: %v %v", answer.Header, body)
			}
			return answer.StatusCode, answer.Header.Get("Retry-After")
		}
		told := map[int]int{}
		for n := range 60 {
			status, _ := try(n, "stw_nobody")
			told[status]++
		}
		if told[http.StatusUnauthorized] < 15 || told[http.StatusTooManyRequests] < 30 {
			t.Errorf("sixty wrong tokens were answered %v", told)
		}
		for n := range 3 {
			if status, _ := try(n, good); status != http.StatusOK {
				t.Errorf("a good token from the same address: %d", status)
			}
		}
	})
}
