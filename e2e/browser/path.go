package browser

// statistic asks for a field of the video's statistics: of what the path says.
func (t *Tab) statistic(expression string) (string, error) {
	return Evaluate[string](t, `(async () => {
		const report = await observer.peers.at(-1).getStats();
		const find = (type) => [...report.values()].find((s) => s.type === type);
		const video = [...report.values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
		const pair = report.get(find('transport').selectedCandidatePairId);
		return `+expression+`;
	})()`)()
}

// Codec is the MIME type of what is decoded.
func (t *Tab) Codec() (string, error) { return t.statistic("report.get(video.codecId).mimeType") }

// Candidate is the kind of this side's end of the path.
func (t *Tab) Candidate() (string, error) {
	return t.statistic("report.get(pair.localCandidateId).candidateType")
}
