package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// The parts that say how the cells are to be read. Only what is needed is decoded.

type relations struct {
	List []struct {
		ID     string `xml:"Id,attr"`
		Type   string `xml:"Type,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// target returns the part that a relation of folder names, by its id or the end of
// its type.
func (r relations) target(folder, id, kind string) (name, typ string) {
	for _, x := range r.List {
		if id != "" && x.ID != id || kind != "" && !strings.HasSuffix(x.Type, "/"+kind) {
			continue
		}
		if rest, ok := strings.CutPrefix(x.Target, "/"); ok {
			return path.Clean(rest), x.Type
		}
		return path.Join(folder, x.Target), x.Type
	}
	return "", ""
}

type workbook struct {
	Properties struct {
		Date1904 string `xml:"date1904,attr"`
	} `xml:"workbookPr"`
	Sheets []struct {
		Name  string     `xml:"name,attr"`
		State string     `xml:"state,attr"`
		Attrs []xml.Attr `xml:",any,attr"`
	} `xml:"sheets>sheet"`
}

type styles struct {
	Formats []struct {
		ID   int    `xml:"numFmtId,attr"`
		Code string `xml:"formatCode,attr"`
	} `xml:"numFmts>numFmt"`
	Cells []struct {
		Format int `xml:"numFmtId,attr"`
	} `xml:"cellXfs>xf"`
}

// decode reads a whole part; a missing one leaves to as it is. encoding/xml knows no
// entities but XML's own five and follows no document type.
func (a *archive) decode(name string, to any) error {
	in, ok, err := a.open(name)
	if err != nil || !ok {
		return err
	}
	defer in.Close()
	return faulty(xml.NewDecoder(in).Decode(to))
}

// faulty keeps why a workbook is refused, and calls every other error a broken one.
func faulty(err error) error {
	var r *Refused
	if err == nil || errors.As(err, &r) {
		return err
	}
	return errBroken
}

// shared reads the texts that cells name by their number.
func (a *archive) shared(name string) ([]string, error) {
	in, ok, err := a.open(name)
	if err != nil || !ok {
		return nil, err
	}
	defer in.Close()
	d := xml.NewDecoder(in)
	var out []string
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, faulty(err)
		}
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "si" {
			text, err := richText(d)
			if err != nil {
				return nil, err
			}
			out = append(out, text)
		}
	}
}

// richText joins the runs of a text up to its end; how it is pronounced is left out.
func richText(d *xml.Decoder) (string, error) {
	var b strings.Builder
	in := false
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return "", faulty(err)
		}
		switch x := t.(type) {
		case xml.StartElement:
			if x.Name.Local == "rPh" {
				if err := d.Skip(); err != nil {
					return "", faulty(err)
				}
				continue
			}
			depth++
			in = x.Name.Local == "t"
		case xml.EndElement:
			depth--
			in = false
		case xml.CharData:
			if in {
				b.Write(x)
			}
		}
	}
	return unescape(b.String()), nil
}

// shape is how a number is to be read.
type shape int

const (
	plain shape = iota
	percent
	day
	dayTime
	clock
)

// shapes returns what each style of cells makes of a number.
func (s styles) shapes() []shape {
	own := map[int]string{}
	for _, f := range s.Formats {
		own[f.ID] = f.Code
	}
	out := make([]shape, len(s.Cells))
	for i, c := range s.Cells {
		if code, ok := own[c.Format]; ok {
			out[i] = shapeOf(code)
			continue
		}
		switch n := c.Format; {
		case n == 9, n == 10:
			out[i] = percent
		case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 54, n >= 57 && n <= 58:
			out[i] = day
		case n == 22:
			out[i] = dayTime
		case n >= 18 && n <= 21, n >= 32 && n <= 35, n >= 45 && n <= 47, n == 55, n == 56:
			out[i] = clock
		}
	}
	return out
}

// shapeOf reads a format such as yyyy-mm-dd or 0.0%. Words in quotes, colours and
// currencies in brackets are not part of it; its first section counts.
func shapeOf(code string) shape {
	var days, hours, months, share bool
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"':
			if end := strings.IndexByte(code[i+1:], '"'); end >= 0 {
				i += end + 1
			}
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				continue
			}
			if in := strings.ToLower(code[i+1 : i+end]); in != "" && strings.Trim(in, "hms") == "" {
				hours = true
			}
			i += end
		case ';':
			i = len(code)
		case 'y', 'Y', 'd', 'D':
			days = true
		case 'h', 'H', 's', 'S':
			hours = true
		case 'm', 'M':
			months = true
		case '%':
			share = true
		case 'G', 'g':
			if len(code) >= i+7 && strings.EqualFold(code[i:i+7], "General") {
				i += 6
			}
		}
	}
	switch {
	case days && hours:
		return dayTime
	case days, months && !hours:
		return day
	case hours:
		return clock
	case share:
		return percent
	}
	return plain
}

// truth reads a boolean of XML.
func truth(s string) bool { ok, err := strconv.ParseBool(s); return ok && err == nil }
