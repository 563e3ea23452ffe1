package graph

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"steward/internal/rules/viewer"
)

// callersKept is how many callers' meters are remembered. One that is forgotten
// starts afresh; that takes as many other callers within a minute.
const callersKept = 10_000

// meter counts points for each caller: a full purse holds one minute's worth and
// fills evenly.
type meter struct {
	points  int // a minute; 0 is no limit
	callers *lru.Cache[string, *rate.Limiter]
}

func newMeter(points int) *meter {
	c, _ := lru.New[string, *rate.Limiter](callersKept) // fails for a size below one only
	return &meter{points: points, callers: c}
}

// caller names whose points are spent: each token has its own, a person's
// sessions share theirs.
func caller(v *viewer.Viewer) string {
	if v.TokenID != "" {
		return string(v.TokenID)
	}
	return string(v.Kind) + " " + string(v.ID)
}

// charge takes n points from the caller. It returns what is left, and how long
// to wait when there are not enough, in which case none are taken.
func (m *meter) charge(v *viewer.Viewer, n int) (left int, wait time.Duration) {
	key, now := caller(v), time.Now().UTC()
	l, ok := m.callers.Get(key)
	if !ok {
		l = rate.NewLimiter(rate.Limit(float64(m.points)/60), m.points)
		if have, found, _ := m.callers.PeekOrAdd(key, l); found {
			l = have
		}
	}
	if !l.AllowN(now, n) {
		missing := float64(n) - l.TokensAt(now)
		return max(0, int(l.TokensAt(now))), max(time.Second, time.Duration(missing/float64(l.Limit())*float64(time.Second)))
	}
	return max(0, int(l.TokensAt(now))), 0
}
