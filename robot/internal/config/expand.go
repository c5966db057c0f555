package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// variable matches a reference; anything else with a dollar is left as it is.
var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// expand replaces ${NAME} in the values below node. Keys are left alone, and
// so are aliases, whose anchor is expanded where it stands.
func expand(node *yaml.Node, env func(string) (string, bool)) error {
	switch node.Kind {
	case yaml.ScalarNode:
		return expandScalar(node, env)
	case yaml.MappingNode:
		var errs []error
		for i := 1; i < len(node.Content); i += 2 {
			errs = append(errs, expand(node.Content[i], env))
		}
		return errors.Join(errs...)
	case yaml.SequenceNode:
		var errs []error
		for _, item := range node.Content {
			errs = append(errs, expand(item, env))
		}
		return errors.Join(errs...)
	default:
		return nil
	}
}

func expandScalar(node *yaml.Node, env func(string) (string, bool)) error {
	var errs []error
	value := variable.ReplaceAllStringFunc(node.Value, func(reference string) string {
		name := reference[2 : len(reference)-1]
		text, ok := env(name)
		if !ok {
			errs = append(errs, fmt.Errorf("line %d: environment variable %s is not set", node.Line, name))
		}
		return text
	})
	if value == node.Value {
		return nil
	}
	node.Value = value
	node.Tag = tag(value)
	return errors.Join(errs...)
}

// tag is the type of an expanded value: number, bool or text, quoted or not,
// because {fps: ${FPS}} is YAML with quotes only. Text that YAML would take for
// something else (null, ~, a date) stays text.
func tag(value string) string {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return "!!int"
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return "!!float"
	}
	if value == "true" || value == "false" {
		return "!!bool"
	}
	return "!!str"
}
