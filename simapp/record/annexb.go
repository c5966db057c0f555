package record

import "wimz.dev/live/simapp"

// annexB is a file of access units one after the other, without times.
type annexB struct{ to *file }

func openAnnexB(to *file, _ simapp.Coded) (writer, error) { return annexB{to}, nil }

func (f annexB) picture(p simapp.Coded, _ int64) error {
	_, err := f.to.Write(p.Data)
	return err
}

func (annexB) close() error { return nil }
