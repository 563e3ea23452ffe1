package app

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows long work: a bar that redraws itself on a terminal, one line a step anywhere else.
type progress struct {
	w        io.Writer
	terminal bool
	name     string
	drawn    time.Time
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// barWidth is how many characters the bar takes.
const barWidth = 30

// step says what is being done and how far it is; total is 0 while that is not known.
func (p *progress) step(name string, done, total int64) {
	begins := name != p.name
	p.name = name
	if !p.terminal {
		if begins {
			fmt.Fprintln(p.w, name)
		}
		return
	}
	if !begins && done < total && time.Since(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = time.Now()
	line := name
	if total > 0 {
		full := int(barWidth * min(done, total) / total)
		line = fmt.Sprintf("%-28s [%s%s] %d of %d", name, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done, total)
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
}

// end leaves the terminal's line free for what comes next.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
