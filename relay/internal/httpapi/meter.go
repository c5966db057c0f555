package httpapi

import (
	"bufio"
	"net"
	"net/http"
)

// Meter counts requests. Its methods may be called from any goroutine.
type Meter interface {
	// Answered is called when a request gets its status. The route is the
	// pattern that has matched, never what the client has sent.
	Answered(route string, status int)
	// Unauthenticated is called when credentials are refused, with the constant
	// words of [auth.Cause].
	Unauthenticated(cause string)
}

// measured tells the meter the status of an answer as soon as there is one: a
// socket stays open for hours.
type measured struct {
	http.ResponseWriter
	request *http.Request
	meter   Meter
	told    bool
}

func (m *measured) tell(status int) {
	if !m.told {
		m.told = true
		m.meter.Answered(m.request.Pattern, status)
	}
}

// WriteHeader implements [http.ResponseWriter].
func (m *measured) WriteHeader(status int) {
	m.tell(status)
	m.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (m *measured) Write(body []byte) (int, error) {
	m.tell(http.StatusOK)
	return m.ResponseWriter.Write(body)
}

// Hijack implements [http.Hijacker]: only an upgrade takes the connection.
func (m *measured) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(m.ResponseWriter).Hijack()
	if err == nil {
		m.tell(http.StatusSwitchingProtocols)
	}
	return conn, buffered, err
}
