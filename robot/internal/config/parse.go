package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Load reads, expands and validates the file at path. The environment is the
// process's own. Errors name the file and, where there is one, the line.
func Load(path string) (Config, error) { return load(path, Config.Validate) }

// LoadVideo is [Load] for who needs no relay: the cloud may still be missing.
func LoadVideo(path string) (Config, error) {
	return load(path, func(c Config) error {
		c.Cloud.Enabled = false
		return c.Validate()
	})
}

func load(path string, validate func(Config) error) (Config, error) {
	data, err := os.ReadFile(path) //nolint:gosec // G304: the owner names the file
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(data, os.LookupEnv)
	if err == nil {
		err = validate(c)
	}
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// Parse reads a configuration over the defaults; it does not validate it.
//
// ${NAME} is replaced in values only, after the YAML has been parsed: whatever
// a variable holds, it stays one value and cannot become a key, a list or a
// comment. A variable that is not set is an error that names it.
func Parse(data []byte, env func(string) (string, bool)) (Config, error) {
	c := Default()
	root, err := document(data)
	if err != nil || root == nil {
		return c, err
	}
	if root.Kind != yaml.MappingNode {
		return Config{}, fmt.Errorf("line %d: a configuration is a mapping of keys to values", root.Line)
	}
	if err := errors.Join(checkKeys(root, reflect.TypeFor[Config](), ""), expand(root, env)); err != nil {
		return Config{}, err
	}
	if err := root.Decode(&c); err != nil {
		return Config{}, err
	}
	return c, nil
}

// document returns the file's one YAML document, nil when the file is empty.
func document(data []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	case !errors.Is(decoder.Decode(&second), io.EOF):
		return nil, errors.New("a configuration is one YAML document; a second one follows the ---")
	case len(first.Content) == 0 || first.Content[0].Tag == "!!null":
		return nil, nil
	}
	return first.Content[0], nil
}
