// Package apicheck holds traffic to what [apispec] says of it. It is for tests.
package apicheck

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"wimz.dev/live/relay/apispec"
)

// Direction is a socket and who speaks on it, as an AsyncAPI operation of the
// relay.
type Direction string

// The four directions.
const (
	FromApp   Direction = "hearApp"
	ToApp     Direction = "tellApp"
	FromRobot Direction = "hearRobot"
	ToRobot   Direction = "tellRobot"
)

// relayed says that the relay has written what goes this way: it writes nothing
// that is not described.
func (d Direction) relayed() bool { return d == ToApp || d == ToRobot }

// Checker knows the schemas. It is safe for concurrent use.
type Checker struct {
	frames  map[Direction]map[string]*jsonschema.Schema // by type
	answers map[string]*jsonschema.Schema               // by "GET /path 200"; nil without a body
}

// New reads the documents. The error says what is wrong with them.
func New() (*Checker, error) {
	c := &Checker{frames: map[Direction]map[string]*jsonschema.Schema{}, answers: map[string]*jsonschema.Schema{}}
	if err := c.readAsyncAPI(); err != nil {
		return nil, fmt.Errorf("AsyncAPI: %w", err)
	}
	if err := c.readOpenAPI(); err != nil {
		return nil, fmt.Errorf("OpenAPI: %w", err)
	}
	return c, nil
}

// Frame checks one text frame.
func (c *Checker) Frame(d Direction, frame []byte) error {
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(frame))
	if err != nil {
		return fmt.Errorf("%s: not JSON: %w", d, err)
	}
	object, _ := body.(map[string]any)
	kind, _ := object["type"].(string)
	schema := c.frames[d][kind]
	if schema == nil {
		schema = c.frames[d]["event"] // these have many types, or none
	}
	if schema == nil {
		return fmt.Errorf("%s: no message of type %q goes this way", d, kind)
	}
	if err := schema.Validate(body); err != nil {
		return fmt.Errorf("%s: %s: %w", d, kind, err)
	}
	return nil
}

// Types returns the types of the messages that go one way, sorted.
func (c *Checker) Types(d Direction) []string { return slices.Sorted(maps.Keys(c.frames[d])) }

// Answers returns every answer that is described, as "GET /path 200", sorted.
func (c *Checker) Answers() []string { return slices.Sorted(maps.Keys(c.answers)) }

// Answer checks an HTTP answer to a request for a path. What there is no such
// path for is answered 404, or 405.
func (c *Checker) Answer(method, requested string, status int, body []byte) error {
	at := c.template(requested)
	if at == "" || method == http.MethodHead {
		return nil
	}
	key := fmt.Sprintf("%s %s %d", method, at, status)
	schema, known := c.answers[key]
	switch {
	case !known && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed):
		return nil
	case !known:
		return fmt.Errorf("%s is not described", key)
	case schema == nil:
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// template returns the described path that a requested one is an instance of.
func (c *Checker) template(requested string) string {
	for key := range c.answers {
		described := strings.Fields(key)[1]
		pattern := described
		if before, _, parameter := strings.Cut(described, "{"); parameter {
			pattern = before + "*"
		}
		if ok, _ := path.Match(pattern, requested); ok {
			return described
		}
	}
	return ""
}

func (c *Checker) readAsyncAPI() error {
	var doc struct {
		Operations map[Direction]struct {
			Messages []reference `json:"messages"`
		} `json:"operations"`
		Components struct {
			Messages map[string]struct {
				Name string `json:"name"`
			} `json:"messages"`
		} `json:"components"`
	}
	if err := json.Unmarshal(apispec.AsyncAPI(), &doc); err != nil {
		return err
	}
	lenient, strict, err := compilers()
	if err != nil {
		return err
	}
	for direction, operation := range doc.Operations {
		c.frames[direction] = map[string]*jsonschema.Schema{}
		compiler := lenient
		if direction.relayed() {
			compiler = strict
		}
		for _, message := range operation.Messages {
			id := path.Base(message.Ref)
			schema, err := compiler.Compile("doc#/components/messages/" + id + "/payload")
			if err != nil {
				return err
			}
			c.frames[direction][doc.Components.Messages[id].Name] = schema
		}
	}
	return nil
}

// reference is a $ref of either document.
type reference struct {
	Ref string `json:"$ref"`
}

// compilers returns one for the document as it is, by which unknown fields do no
// harm, and one that forbids them.
func compilers() (lenient, strict *jsonschema.Compiler, err error) {
	if lenient, err = compiler(apispec.AsyncAPI()); err != nil {
		return nil, nil, err
	}
	var doc map[string]any
	if err = json.Unmarshal(apispec.AsyncAPI(), &doc); err != nil {
		return nil, nil, err
	}
	messages, _ := doc["components"].(map[string]any)["messages"].(map[string]any)
	for _, message := range messages {
		if payload, ok := message.(map[string]any)["payload"].(map[string]any); ok && payload["additionalProperties"] == nil {
			payload["additionalProperties"] = false
		}
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, nil, err
	}
	strict, err = compiler(text)
	return lenient, strict, err
}

func compiler(document []byte) (*jsonschema.Compiler, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	return c, c.AddResource("doc", doc)
}

func (c *Checker) readOpenAPI() error {
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]reference `json:"responses"`
		} `json:"paths"`
		Components struct {
			Responses map[string]json.RawMessage `json:"responses"`
		} `json:"components"`
	}
	if err := json.Unmarshal(apispec.OpenAPI(), &doc); err != nil {
		return err
	}
	schemas, err := compiler(apispec.OpenAPI())
	if err != nil {
		return err
	}
	for at, operations := range doc.Paths {
		for method, operation := range operations {
			for status, response := range operation.Responses {
				pointer := fmt.Sprintf("#/paths/%s/%s/responses/%s", escape(at), method, status)
				if response.Ref != "" {
					pointer = response.Ref
				}
				key := fmt.Sprintf("%s %s %s", strings.ToUpper(method), at, status)
				if c.answers[key], err = answerSchema(schemas, status, pointer); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
			}
		}
	}
	return nil
}

// answerSchema returns the schema of an answer's body. Switching protocols and No
// Content have none.
func answerSchema(schemas *jsonschema.Compiler, status, pointer string) (*jsonschema.Schema, error) {
	if n, err := strconv.Atoi(status); err != nil || n == http.StatusSwitchingProtocols || n == http.StatusNoContent {
		return nil, err
	}
	return schemas.Compile("doc" + pointer + "/content/application~1json/schema")
}

// escape writes a path as a part of a JSON pointer (RFC 6901 §3).
func escape(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~", "~0"), "/", "~1")
}
