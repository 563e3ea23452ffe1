package graph

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
)

// shape turns a Go value into the JSON that GraphQL would show of it: names in
// camel case, everything else as it marshals.
func shape(v any) any { return shaped(reflect.ValueOf(v)) }

func shaped(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return v.Interface()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return shaped(v.Elem())
	case reflect.Slice, reflect.Array:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = shaped(v.Index(i))
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[k.String()] = shaped(v.MapIndex(k))
		}
		return out
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				out[camel(f.Name)] = shaped(v.Field(i))
			}
		}
		return out
	}
	return v.Interface()
}

// camel lowers the first word of a Go name: LineID is lineId, ID is id, By is by.
func camel(name string) string {
	if strings.ToUpper(name) == name {
		return strings.ToLower(name)
	}
	r := []rune(name)
	r[0] = unicode.ToLower(r[0])
	return strings.ReplaceAll(string(r), "ID", "Id")
}
