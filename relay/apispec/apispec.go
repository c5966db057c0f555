// Package apispec describes the relay's interfaces for programs: its HTTP API
// in OpenAPI 3.1, the messages on its sockets in AsyncAPI 3.0. The relay serves
// both; tests hold the code and all traffic to them (see apicheck).
package apispec

import (
	_ "embed" // the documents
	"encoding/json"
	"sync"

	"go.yaml.in/yaml/v3"
)

var (
	//go:embed openapi.yaml
	openAPI []byte
	//go:embed asyncapi.yaml
	asyncAPI []byte
)

// OpenAPI returns the description of the HTTP API as JSON. The bytes are shared
// and not to be written to.
//
//nolint:gochecknoglobals // constants
var OpenAPI = sync.OnceValue(func() []byte { return toJSON(openAPI) })

// AsyncAPI returns the description of the messages as JSON. The bytes are shared
// and not to be written to.
//
//nolint:gochecknoglobals // constants
var AsyncAPI = sync.OnceValue(func() []byte { return toJSON(asyncAPI) })

// toJSON converts a document that is part of the program.
func toJSON(document []byte) []byte {
	var v any
	err := yaml.Unmarshal(document, &v)
	if err != nil {
		panic("apispec: " + err.Error()) // a test has read it
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic("apispec: " + err.Error())
	}
	return text
}
