using System.Reflection;
using Grpc.Core;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Problems;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Observability;

namespace HeartGrains.Tests.Grpc;

/// <summary><c>docs/grpc.md</c> is what the program does.</summary>
[Collection(GrpcCollection.Name)]
public sealed class GrpcDocsTests(GrpcServer server)
{
    private static readonly string Page = DeployedFiles.Page("grpc.md");

    private static IEnumerable<Problem> Problems => typeof(Problem).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(static member => member.FieldType == typeof(Problem)).Select(static member => (Problem)member.GetValue(null)!);

    [Fact]
    public void Statuses_AreThoseOfTheTable()
    {
        var rows = Page.Split('\n')
            .Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(static line => line.Replace("`", "", StringComparison.Ordinal).Split('|', StringSplitOptions.TrimEntries))
            .Where(static row => row.Length > 3 && int.TryParse(row[3], out _));
        rows.Select(static row => $"{row[1]} {row[2]} {row[3]}").ShouldBe(
            Problems.Select(static problem => $"{Screaming(GrpcCodes.Of(problem))} {GrpcTold.ReasonOf(problem)} {problem.Status}"), ignoreOrder: true);
    }

    [Fact]
    public void Statuses_AreNeverUnknown()
    {
        foreach (var problem in Problems) GrpcCodes.Of(problem).ShouldNotBeOneOf(StatusCode.Unknown, StatusCode.OK, StatusCode.Cancelled);
        Problems.Where(static problem => GrpcCodes.Of(problem) == StatusCode.Internal).ShouldBe([Problem.InternalError]);
    }

    [Fact]
    public async Task Example_IsWhatATestRuns()
    {
        var source = await File.ReadAllTextAsync(Path.Combine(LocalCluster.Root, "Tests", "Grpc", "GrpcExample.cs"));
        var begin = source.IndexOf("using var channel", StringComparison.Ordinal);
        var lines = source[begin..source.IndexOf("// End of the example.", StringComparison.Ordinal)].TrimEnd().Split('\n').Select(static line => line.StartsWith("        ", StringComparison.Ordinal) ? line[8..] : line);
        Page.ShouldContain(string.Join('\n', lines));
        (await GrpcExample.RunAsync(server.Url.ToString(), HeartClient.Fresh("post_"))).ShouldBe(["1 heart", "post has 1", "INVALID_FIELDS: target_id must not be empty"]);
    }

    private static string Screaming(StatusCode code) => string.Concat(code.ToString().Select(static (letter, index) => index > 0 && char.IsUpper(letter) ? "_" + letter : char.ToUpperInvariant(letter).ToString()));
}
