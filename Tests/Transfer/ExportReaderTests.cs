using System.Text;
using HeartGrains.Ledger;
using HeartGrains.Transfer;

namespace HeartGrains.Tests.Transfer;

public class ExportReaderTests
{
    private static readonly string Whole = Write(new StartLine(1, "key"), new OpeningLine("post ❤️", 12), new OpeningLine("post_2", 7));

    [Fact]
    public async Task ReadAsync_Whole_GivesTheLinesBetween() =>
        (await ReadAsync(Whole)).ShouldBe([new StartLine(1, "key"), new OpeningLine("post ❤️", 12), new OpeningLine("post_2", 7)]);

    [Fact]
    public async Task ReadAsync_CutAnywhere_IsRefused()
    {
        for (var length = 0; length < Whole.Length; length++)
            await Should.ThrowAsync<LedgerException>(() => ReadAsync(Whole[..length]), $"cut to {length}");
    }

    [Theory]
    [InlineData(":12}", ":13}", "another hash")]
    [InlineData("{\"line\":\"opening\",\"target_id\":\"post_2\",\"count\":7}\n", "", "has 2 lines where its last one tells 3")]
    [InlineData("\"format\":1", "\"format\":2", "of format 2")]
    [InlineData("\"count\":7", "\"count\":7,\"more\":1", "Line 3 of the export cannot be read")]
    [InlineData("\"count\":7", "\"more\":1", "Line 3 of the export cannot be read")]
    [InlineData("\"post_2\"", "null", "Line 3 of the export cannot be read")]
    [InlineData("\"post_2\"", "\"a lone \\ud800\"", "Line 3 of the export cannot be read")]
    [InlineData("{\"line\":\"start\",\"format\":1,\"key\":\"key\"}\n", "", "Line 1 of the export is not where it belongs")]
    [InlineData("{\"line\":\"start\"", "hello\n{\"line\":\"start\"", "Line 1 of the export cannot be read")]
    [InlineData("\"}\n", "\"}\n{\"line\":\"opening\",\"target_id\":\"post_3\",\"count\":7}\n", "")]
    public async Task ReadAsync_Changed_IsRefused(string text, string by, string message)
    {
        var changed = Whole.Replace(text, by, StringComparison.Ordinal);
        changed.ShouldNotBe(Whole);

        (await Should.ThrowAsync<LedgerException>(() => ReadAsync(changed))).Message.ShouldContain(message);
    }

    [Fact]
    public async Task ReadAsync_LineWithoutEnd_IsRefusedBeforeMemoryRunsOut() =>
        (await Should.ThrowAsync<LedgerException>(() => ReadAsync(new string('x', 3_000_000)))).Message.ShouldContain("too long");

    private static async Task<List<ExportLine>> ReadAsync(string export) =>
        await new ExportReader(new MemoryStream(Encoding.UTF8.GetBytes(export))).ReadAsync(TestContext.Current.CancellationToken).ToListAsync();

    private static string Write(params ReadOnlySpan<ExportLine> lines)
    {
        using var stream = new MemoryStream();
        using var writer = new ExportWriter(stream);
        foreach (var line in lines) writer.Write(line);
        writer.End();
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
