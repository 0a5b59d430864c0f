using Prometheus;

namespace HeartGrains.Gateway.Identity;

/// <summary>Credentials by what became of them.</summary>
internal sealed class IdentityMetrics
{
    private readonly Counter.Child _keys;
    private readonly Counter.Child _tokens;
    private readonly Counter.Child _refused;
    private readonly Counter.Child _undecided;

    public IdentityMetrics()
    {
        var credentials = Metrics.CreateCounter("heartgrains_credentials_total", "Calls that brought a token or a server key, by what became of it.", "outcome");
        (_keys, _tokens, _refused, _undecided) = (credentials.WithLabels("key"), credentials.WithLabels("token"), credentials.WithLabels("refused"), credentials.WithLabels("undecided"));
    }

    public void CountKey() => _keys.Inc();

    public void CountToken() => _tokens.Inc();

    public void CountRefused() => _refused.Inc();

    public void CountUndecided() => _undecided.Inc();
}
