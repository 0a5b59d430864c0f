using System.Diagnostics;
using OpenTelemetry.Trace;

namespace HeartGrains.Diagnostics;

/// <summary>
/// Traces begin with an HTTP request and nowhere else: whether it is traced is decided there, as its <c>traceparent</c> says or by a ratio, and
/// for so many a second at most, because anybody may send a <c>traceparent</c>. What follows from a request follows its decision.
/// </summary>
internal sealed class TraceSampler(TraceOptions options, TimeProvider time) : Sampler
{
    private const string HttpRequest = "Microsoft.AspNetCore.Hosting.HttpRequestIn";
    private readonly TraceIdRatioBasedSampler _ratio = new(options.Ratio);
    private readonly Throttle _budget = new(time.TimestampFrequency, options.PerSecond);

    /// <inheritdoc/>
    public override SamplingResult ShouldSample(in SamplingParameters parameters)
    {
        var parent = parameters.ParentContext;
        var isWanted = parent.TraceId == default
            ? parameters.Name == HttpRequest && _ratio.ShouldSample(parameters).Decision == SamplingDecision.RecordAndSample
            : parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded);
        if (isWanted && parameters.Name == HttpRequest) isWanted = _budget.TryPass(time.GetTimestamp(), out _);
        return new SamplingResult(isWanted ? SamplingDecision.RecordAndSample : SamplingDecision.Drop);
    }
}
