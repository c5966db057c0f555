// Command fakecloudflare serves the fake TURN key API of package
// fakecloudflare, and on request a TURN server that takes its credentials.
package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"wimz.dev/live/relay/cli"
)

const description = `A stand-in for Cloudflare's TURN key API, for tests and demonstrations.

Example: the API with a TURN server of its own, and a credential from it:

    export FAKECLOUDFLARE_API_TOKEN=demo-token FAKECLOUDFLARE_TURN_SECRET=demo-secret
    fakecloudflare --key-id demo --listen 127.0.0.1:8788 --turn-listen 127.0.0.1:3478
    curl -d '{"ttl":600}' -H 'Authorization: Bearer demo-token' \
        http://127.0.0.1:8788/v1/turn/keys/demo/credentials/generate-ice-servers

Faults: curl -X PUT -d '{"status":503,"times":2}' http://127.0.0.1:8788/_control/fault`

type options struct {
	KeyID      string   `required:"" placeholder:"K" help:"Id of the one TURN key that exists."`
	APIToken   string   `required:"" placeholder:"T" env:"FAKECLOUDFLARE_API_TOKEN" help:"Bearer token of the key; better given by environment."`
	TURNSecret string   `name:"turn-secret" required:"" placeholder:"S" env:"FAKECLOUDFLARE_TURN_SECRET" help:"Secret shared with the TURN servers; better given by environment."`
	ICEURLs    []string `name:"ice-url" sep:"none" placeholder:"URL" help:"URL to hand out, such as turn:HOST:PORT?transport=udp; repeatable."`
	Listen     string   `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Address of the API."`
	TURNListen string   `name:"turn-listen" placeholder:"IP:PORT" help:"Also run a TURN server here, over UDP and TCP."`
	ReadyFile  string   `type:"path" placeholder:"FILE" help:"Write the API's HOST:PORT to this file once it serves."`
	LogLevel   string   `default:"info" enum:"debug,info,warn,error" help:"One of debug, info, warn, error."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

func main() {
	cli.Main(func(ctx context.Context) int {
		return start(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

// start is the whole program but for the process: it returns the exit status.
func start(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	program := cli.Program{Name: "fakecloudflare", Description: description, Stdout: stdout, Stderr: stderr}
	var opts options
	command, status := program.Parse(&opts, args)
	if command == nil {
		return status
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(opts.LogLevel)) // the parser has checked it
	if err := run(ctx, opts, cli.Logger(stderr, level, "text")); err != nil {
		return program.Fail(err)
	}
	return cli.ExitOK
}
