package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkKeys reports every key of the mapping that t, a struct, has no field
// for. (The decoder's own KnownFields works on bytes only, where variables are
// not expanded yet, and names neither the path nor what would be right.)
func checkKeys(node *yaml.Node, t reflect.Type, path string) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode || t.Kind() != reflect.Struct {
		return nil // of the wrong shape, or a leaf: the decoder will say
	}
	known := fieldTypes(t)
	var errs []error
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		field, ok := known[key.Value]
		if !ok {
			errs = append(errs, fmt.Errorf("line %d: unknown key %q; known here: %s",
				key.Line, path+key.Value, names(known)))
			continue
		}
		errs = append(errs, checkKeys(value, field, path+key.Value+"."))
	}
	return errors.Join(errs...)
}

func fieldTypes(t reflect.Type) map[string]reflect.Type {
	types := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		types[f.Tag.Get("yaml")] = f.Type
	}
	return types
}

func names(types map[string]reflect.Type) string {
	list := make([]string, 0, len(types))
	for name := range types {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
