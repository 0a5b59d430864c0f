using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Resilience;

namespace HeartGrains.Gateway.Resilience;

/// <summary>The body of <c>POST /breakers/{name}</c>.</summary>
internal sealed record ForceBody(string? State = null, string? For = null, string? Reason = null);

/// <summary>What became of it.</summary>
internal sealed record ForcedView(string Name, string State, DateTimeOffset? Until, string Reason, string Reaches);

/// <summary>The answer of <c>GET /breakers</c> where all breakers are in this process.</summary>
internal sealed record BreakerList(BreakerView[] Breakers);

/// <summary>The answer of <c>GET /breakers</c> where the silos have some; theirs are null when not known.</summary>
internal sealed record ClusterBreakerList(BreakerView[] Breakers, SiloView[]? Silos);

/// <summary>A silo's breakers as they are shown.</summary>
internal sealed record SiloView(string Silo, double AgeSeconds, BreakerView[] Breakers)
{
    public static SiloView Of(SiloBreakers told)
    {
        var age = TimeSpan.FromMilliseconds(told.AgeMillis);
        return new SiloView(told.Silo, age.TotalSeconds, Array.ConvertAll(told.Breakers, report => BreakerView.Of(report, age)));
    }
}

/// <summary>A breaker as it is shown.</summary>
internal sealed record BreakerView(
    string Name, string State, bool Degraded, int Calls, double FailureRate, double P95Seconds, double Health, long Rejected, string? Reason, double? NextAttemptSeconds)
{
    public static BreakerView Of(BreakerReport report, TimeSpan age = default) => new(
        report.Name, report.State, report.IsDegraded, report.Calls, Math.Round(report.FailureRate, 4), report.P95.TotalSeconds,
        Math.Round(report.Health, 4), report.Rejected, report.Reason.Length == 0 ? null : report.Reason,
        report.NextAttempt is { } next ? Math.Round(Math.Max(0, (next - age).TotalSeconds), 3) : null);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(BreakerList))]
[JsonSerializable(typeof(ClusterBreakerList))]
[JsonSerializable(typeof(ForceBody))]
[JsonSerializable(typeof(ForcedView))]
internal sealed partial class BreakerJson : JsonSerializerContext;
