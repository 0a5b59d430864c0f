using System.Diagnostics;
using HeartGrains.Diagnostics;

namespace HeartGrains.Tests.Diagnostics;

public class NamelessSpansTests
{
    /// <summary>The tags by which Orleans names grains, and those of an exception, which may.</summary>
    [Fact]
    public void OnEnd_TagsThatName_AreTakenOutAndOthersStay()
    {
        using var span = new Activity("IHeartGrain/GiveAsync");
        foreach (var tag in (string[])["orleans.rpc.target_id", "orleans.rpc.source_id", "exception.message", "exception.stacktrace"]) span.SetTag(tag, "heart/secret");
        span.SetTag("rpc.system", "orleans").SetTag("exception.type", "System.TimeoutException");

        using (var processor = new NamelessSpans()) processor.OnEnd(span);

        span.TagObjects.Select(static tag => tag.Key).ShouldBe(["rpc.system", "exception.type"]);
    }
}
