package obs

import (
	"runtime"
	"runtime/debug"
)

// Set by the linker in a release: -X steward/internal/platform/obs.version=1.2.3 and so on.
var version, commit, date string

// BuildInfo says which program this is.
type BuildInfo struct {
	Version string `json:"version"` // "1.2.3", or "dev" where the linker was told nothing
	Commit  string `json:"commit"`  // the revision it was built from, "unknown" outside a repository
	Date    string `json:"date"`    // RFC 3339; the commit's date where the linker was told nothing
	Go      string `json:"go"`      // "go1.26.8"
}

// Build returns the facts of this program: those of the linker first, then those that Go itself
// recorded.
func Build() BuildInfo {
	b := BuildInfo{Version: version, Commit: commit, Date: date, Go: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && b.Commit == "":
				b.Commit = s.Value
			case s.Key == "vcs.time" && b.Date == "":
				b.Date = s.Value
			}
		}
	}
	if b.Version == "" {
		b.Version = "dev"
	}
	if b.Commit == "" {
		b.Commit = "unknown"
	}
	if b.Date == "" {
		b.Date = "unknown"
	}
	return b
}
