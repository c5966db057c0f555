package fakecloudflare

import (
	"encoding/json"
	"net/http"
)

func (s *Server) controlRoutes() {
	s.mux.HandleFunc("GET /_control/ledger", func(w http.ResponseWriter, _ *http.Request) {
		jsonReply(http.StatusOK, struct {
			Requests    int          `json:"requests"`
			Credentials []Credential `json:"credentials"`
		}{s.Requests(), s.Issued()}).write(w)
	})
	s.mux.HandleFunc("GET /_control/fault", func(w http.ResponseWriter, _ *http.Request) {
		jsonReply(http.StatusOK, s.faults.get()).write(w)
	})
	s.mux.HandleFunc("PUT /_control/fault", s.putFault)
	s.mux.HandleFunc("DELETE /_control/fault", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFault()
		w.WriteHeader(http.StatusNoContent)
	})
}

// putFault refuses what it does not know: a test with a misspelt fault would
// pass for the wrong reason.
func (s *Server) putFault(w http.ResponseWriter, r *http.Request) {
	var fault Fault
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequestBody))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&fault)
	if err == nil {
		err = fault.check()
	}
	if err != nil {
		refusal(http.StatusBadRequest, err.Error()).write(w)
		return
	}
	s.SetFault(fault)
	s.log.InfoContext(r.Context(), "fault set", "status", fault.Status, "body", string(fault.Body), "times", fault.Times)
	w.WriteHeader(http.StatusNoContent)
}
