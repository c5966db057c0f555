package main

import (
	"embed"
	"io"
	"strings"
	"text/template"

	"github.com/alecthomas/kong"
)

//go:embed completion/*.tmpl
var completions embed.FS

// completionCmd prints a script for a shell.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Your shell: ${enum}."`
}

// Help is shown by simapp completion --help.
func (*completionCmd) Help() string {
	return `Prints what lets your shell complete commands and flags with the Tab key.

Examples:

    source <(simapp completion bash)      # in ~/.bashrc
    source <(simapp completion zsh)       # in ~/.zshrc, after compinit
    simapp completion fish | source       # in ~/.config/fish/config.fish`
}

// Run prints the script.
func (c *completionCmd) Run(a *app, parsed *kong.Context) error {
	return writeCompletion(a.stdout, c.Shell, parsed.Model)
}

func writeCompletion(to io.Writer, shell string, program *kong.Application) error {
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	if shell == "fish" {
		quote = func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'" }
	}
	script, err := template.New(shell+".tmpl").Funcs(template.FuncMap{
		"quote": quote,
		"join":  func(words []string) string { return strings.Join(words, " ") },
		"colons": func(s string) string {
			return strings.ReplaceAll(s, ":", `\:`)
		},
		"brackets": func(s string) string {
			return strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(s)
		},
		"zshValue": zshValue,
	}).ParseFS(completions, "completion/"+shell+".tmpl")
	if err != nil {
		return err
	}
	return script.Execute(to, commandOf(program.Node, program.Children))
}

// completable is a command, or the program, as a shell has to know it.
type completable struct {
	Name, Help string
	Words      []string // of its first argument
	Flags      []completableFlag
	Commands   []completable
}

type completableFlag struct {
	Name, Short, Help string
	Value             string   // what it is called; empty: it takes none
	Words             []string // that the value may be
	File              bool     // the value is a file's name
}

func commandOf(node *kong.Node, children []*kong.Node) completable {
	c := completable{Name: node.Name, Help: node.Help}
	for _, flag := range node.Flags {
		if !flag.Hidden {
			c.Flags = append(c.Flags, flagOf(flag))
		}
	}
	if len(node.Positional) > 0 {
		c.Words = wordsOf(node.Positional[0])
	}
	for _, child := range children {
		if !child.Hidden {
			c.Commands = append(c.Commands, commandOf(child, child.Children))
		}
	}
	return c
}

func flagOf(flag *kong.Flag) completableFlag {
	f := completableFlag{Name: flag.Name, Help: flag.Help, Words: wordsOf(flag.Value)}
	if flag.Short != 0 {
		f.Short = string(flag.Short)
	}
	if !flag.IsBool() {
		f.Value = flag.FormatPlaceHolder()
	}
	f.File = strings.HasPrefix(f.Value, "FILE") || f.Value == "DIR"
	return f
}

func wordsOf(value *kong.Value) []string {
	if value.Enum == "" {
		return nil
	}
	return strings.FieldsFunc(value.Enum, func(r rune) bool { return r == ',' })
}

// zshValue is the part of a flag's description that says what its value is.
func zshValue(f completableFlag) string {
	switch {
	case f.Value == "":
		return ""
	case f.File:
		return ":file:_files"
	case f.Words != nil:
		return ":value:(" + strings.Join(f.Words, " ") + ")"
	default:
		return ":value:"
	}
}
