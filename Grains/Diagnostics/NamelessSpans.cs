using System.Diagnostics;
using OpenTelemetry;

namespace HeartGrains.Diagnostics;

/// <summary>Takes out of spans what may name a user or a target, before they are sent: the grain a call goes to or comes from, and what exceptions say.</summary>
internal sealed class NamelessSpans : BaseProcessor<Activity>
{
    private static readonly string[] Tags = ["orleans.rpc.target_id", "orleans.rpc.source_id", "exception.message", "exception.stacktrace"];

    /// <inheritdoc/>
    public override void OnEnd(Activity data)
    {
        // A tag that is set to null is removed.
        foreach (var tag in Tags) data.SetTag(tag, null);
    }
}
