package turn

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"wimz.dev/live/relay/wire"
)

// blockedPort is refused by browsers: it is DNS.
const blockedPort = 53

// refusal turns a status that is no success into an error.
func refusal(status int) *Error {
	switch {
	case status < http.StatusOK || status >= http.StatusInternalServerError:
		return &Error{Kind: KindUpstream, Status: status}
	case status >= http.StatusMultipleChoices:
		return &Error{Kind: KindStatus, Status: status}
	default:
		return nil
	}
}

// parseAnswer reads the ICE servers of a successful answer, in any of the forms
// the API has had, and leaves out what a browser could not use.
func parseAnswer(contentType string, body []byte) (wire.ICEServers, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/json" {
		return wire.ICEServers{}, &Error{Kind: KindMalformed}
	}
	var answer wire.ICEServers
	if err := json.Unmarshal(body, &answer); err != nil {
		return wire.ICEServers{}, &Error{Kind: KindMalformed}
	}
	answer = usable(answer)
	if !answer.HasTURN() {
		return wire.ICEServers{}, &Error{Kind: KindNoTURN}
	}
	return answer, nil
}

// usable keeps the URLs that a browser accepts. One bad URL, or a TURN URL
// without credentials, would make it refuse the whole list (WebRTC §4.4.1.1);
// a blocked port it waits for in vain without trickle ICE.
func usable(answer wire.ICEServers) wire.ICEServers {
	var kept wire.ICEServers
	for _, server := range answer.Servers {
		hasCredential := server.Username != "" && server.Credential != ""
		server.URLs = slices.DeleteFunc(server.URLs, func(url string) bool {
			scheme, port, ok := splitURL(url)
			isTURN := strings.HasPrefix(scheme, "turn")
			return !ok || port == blockedPort || (isTURN && !hasCredential)
		})
		if len(server.URLs) > 0 {
			kept.Servers = append(kept.Servers, server)
		}
	}
	return kept
}

// splitURL reads scheme and port (0 if there is none) of a STUN or TURN URL
// (RFC 7064, RFC 7065), and reports whether it is one.
func splitURL(url string) (scheme string, port uint64, ok bool) {
	scheme, rest, _ := strings.Cut(url, ":")
	hostport, query, hasQuery := strings.Cut(rest, "?")
	switch scheme {
	case "turn", "turns":
		ok = !hasQuery || query == "transport=udp" || query == "transport=tcp"
	case "stun", "stuns":
		ok = !hasQuery
	}
	host := hostport
	if colon := strings.LastIndexByte(hostport, ':'); colon > strings.LastIndexByte(hostport, ']') {
		var err error
		host = hostport[:colon]
		port, err = strconv.ParseUint(hostport[colon+1:], 10, 16)
		ok = ok && err == nil && port > 0
	}
	return scheme, port, ok && validHost(host)
}

// validHost accepts a name, an IPv4 address, or an IPv6 address in brackets.
func validHost(host string) bool {
	if address, bracketed := strings.CutPrefix(host, "["); bracketed {
		ip, err := netip.ParseAddr(strings.TrimSuffix(address, "]"))
		return err == nil && ip.Is6() && ip.Zone() == "" && strings.HasSuffix(host, "]")
	}
	return host != "" && !strings.ContainsFunc(host, func(c rune) bool {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		return !letter && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_'
	})
}
