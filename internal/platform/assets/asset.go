// Package assets serves the browser's files: style sheets, scripts, icons, font.
//
// Every file is known under a name that holds the start of its SHA-256, so it can
// be kept by browsers for a year and still be replaced by the next release.
// Templates ask for the name with URL; the web layer mounts Handler on /static/.
package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"steward/static"
)

// Prefix is the path under which files are served.
const Prefix = "/static/"

// Set is a folder of files made ready to serve. Its zero value is not usable; see
// Load and Folder.
type Set struct {
	disk   fs.FS             // development: read from here on every request
	hashed map[string]string // "css/app.css" -> "css/app.0123456789.css"
	files  map[string]*file  // by hashed name
}

var (
	embedded = sync.OnceValues(func() (*Set, error) { return Load(static.Files) })
	chosen   *Set
)

// Use replaces the embedded files, for development from a folder. Call it before
// serving starts.
func Use(s *Set) { chosen = s }

// current returns the set in use. The embedded files are checked by the tests of
// this package, so a set that does not load is a broken build.
func current() *Set {
	if chosen != nil {
		return chosen
	}
	s, err := embedded()
	if err != nil {
		panic(err)
	}
	return s
}

// URL returns the path of a file, "/static/css/app.0123456789.css" for
// "css/app.css". It panics for a file that does not exist: that is a mistake in a
// template, and every page is rendered by a test.
func URL(name string) string { return current().URL(name) }

// Exists reports whether there is a file of that name.
func Exists(name string) bool { return current().exists(name) }

// Bytes returns what a file holds; it panics for a file that does not exist.
func Bytes(name string) []byte {
	b, err := fs.ReadFile(static.Files, name)
	if err != nil {
		panic(fmt.Sprintf("assets: there is no %q", name))
	}
	return b
}

// Load reads and names all files of files. It fails when a style sheet or a script
// refers to a file that is not there.
func Load(files fs.FS) (*Set, error) {
	s := &Set{hashed: map[string]string{}, files: map[string]*file{}}
	var sheets, modules []string
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if path.Ext(name) == ".css" {
			sheets = append(sheets, name) // after the files they refer to
			return nil
		}
		data, err := fs.ReadFile(files, name)
		switch {
		case err != nil:
		case importFrom.Match(data) && path.Ext(name) == ".js":
			modules = append(modules, name) // after the modules they import
		default:
			s.add(name, data)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("assets: %w", err)
	}
	if err := s.link(files, modules); err != nil {
		return nil, err
	}
	for _, name := range sheets {
		text, err := inline(files, name)
		if err != nil {
			return nil, err
		}
		if text, err = s.rewrite(name, text); err != nil {
			return nil, err
		}
		s.add(name, []byte(text))
	}
	return s, nil
}

// Folder serves a folder as it is on disk, unhashed and uncached, so that a
// change shows on the next reload.
func Folder(files fs.FS) *Set { return &Set{disk: files} }

// URL returns the path of a file of the set; see the function URL.
func (s *Set) URL(name string) string {
	if s.disk != nil {
		return Prefix + name
	}
	h, ok := s.hashed[name]
	if !ok {
		panic(fmt.Sprintf("assets: there is no %q", name))
	}
	return Prefix + h
}

func (s *Set) exists(name string) bool {
	if s.disk != nil {
		_, err := fs.Stat(s.disk, name)
		return err == nil
	}
	_, ok := s.hashed[name]
	return ok
}

func (s *Set) add(name string, data []byte) {
	sum := sha256.Sum256(data)
	ext := path.Ext(name)
	h := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	s.hashed[name] = h
	s.files[h] = &file{name: h, raw: data}
}

// link adds scripts that import others from their own folder, with the hashed names
// in the place of "./name.js". Each is added once all it imports have been.
func (s *Set) link(files fs.FS, modules []string) error {
	for len(modules) > 0 {
		var later []string
		var missing string
		for _, name := range modules {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return fmt.Errorf("assets: %w", err)
			}
			ready := true
			text := importFrom.ReplaceAllStringFunc(string(data), func(from string) string {
				other := path.Join(path.Dir(name), importFrom.FindStringSubmatch(from)[1])
				h, ok := s.hashed[other]
				if !ok {
					ready, missing = false, fmt.Sprintf("assets: %s imports %s, which does not exist or imports it back", name, other)
				}
				return "from '" + Prefix + h + "';"
			})
			if ready {
				s.add(name, []byte(text))
			} else {
				later = append(later, name)
			}
		}
		if len(later) == len(modules) {
			return errors.New(missing)
		}
		modules = later
	}
	return nil
}

var (
	importFrom = regexp.MustCompile(`from '\./([\w-]+\.js)';`)
	importRule = regexp.MustCompile(`(?m)^@import url\("([^"]+)"\);\n`)
	urlValue   = regexp.MustCompile(`url\("([^"]+)"\)`)
)

// inline puts imported sheets in the place of their @import, one level deep, so
// that a page loads one sheet although it is written in several.
func inline(files fs.FS, name string) (string, error) {
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return "", fmt.Errorf("assets: %w", err)
	}
	var missing error
	text := importRule.ReplaceAllStringFunc(string(b), func(rule string) string {
		part, err := fs.ReadFile(files, path.Join(path.Dir(name), importRule.FindStringSubmatch(rule)[1]))
		if err != nil {
			missing = fmt.Errorf("assets: %s: %w", name, err)
		}
		return string(part)
	})
	return text, missing
}

// rewrite gives every url("…") of a sheet its hashed name.
func (s *Set) rewrite(sheet, text string) (string, error) {
	var missing error
	text = urlValue.ReplaceAllStringFunc(text, func(v string) string {
		name := path.Join(path.Dir(sheet), urlValue.FindStringSubmatch(v)[1])
		h, ok := s.hashed[name]
		if !ok {
			missing = fmt.Errorf("assets: %s refers to %s, which does not exist", sheet, name)
		}
		return `url("` + Prefix + h + `")`
	})
	return text, missing
}
