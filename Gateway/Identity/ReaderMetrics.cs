using Prometheus;

namespace HeartGrains.Gateway.Identity;

/// <summary>Readers' tokens by what became of them.</summary>
internal sealed class ReaderMetrics
{
    private readonly Counter.Child _issued;
    private readonly Counter.Child _renewed;
    private readonly Counter.Child _refused;

    public ReaderMetrics()
    {
        var tokens = Metrics.CreateCounter("heartgrains_reader_tokens_total", "Tokens of anonymous readers, by what became of them.", "outcome");
        (_issued, _renewed, _refused) = (tokens.WithLabels("issued"), tokens.WithLabels("renewed"), tokens.WithLabels("refused"));
    }

    public void CountIssued() => _issued.Inc();

    public void CountRenewed() => _renewed.Inc();

    public void CountRefused() => _refused.Inc();
}
