package httpapi

import "net/http"

// document serves a description of the interfaces. Pages of any origin may read
// it, so that viewers of such documents can show it.
func document(text func() []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(text())
	}
}
