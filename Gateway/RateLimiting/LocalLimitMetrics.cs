using Prometheus;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Counts what the local limits refused.</summary>
internal static class LocalLimitMetrics
{
    private static readonly Counter Refusals = Metrics.CreateCounter(
        "heartgrains_local_limit_total",
        "API calls over a local limit: refused, or only counted because the limit is a shadow.",
        "limit",
        "result");

    private static readonly Counter.Child GatewayChild = Refusals.WithLabels("gateway", "refused");
    private static readonly Counter.Child AddressChild = Refusals.WithLabels("address", "refused");
    private static readonly Counter.Child AddressShadowChild = Refusals.WithLabels("address", "shadow");

    /// <summary>Shows zeros before the first refusal, so that it can be told from none.</summary>
    public static void Show()
    {
        foreach (var child in (Counter.Child[])[GatewayChild, AddressChild, AddressShadowChild]) child.Publish();
    }

    public static void RefusedByGateway() => GatewayChild.Inc();

    public static void RefusedByAddress() => AddressChild.Inc();

    public static void WouldBeRefusedByAddress() => AddressShadowChild.Inc();
}
