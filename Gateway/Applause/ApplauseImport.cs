using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Applause;

/// <summary>
/// Brings claps counted elsewhere over: <c>POST /imports/applause</c> with what <c>get-multiple</c> answers. They become the opening balance of each page, apart from hearts, whose
/// users are known; each that changes is an event. It is set, not added to, so that the same dump twice gives the same.
/// </summary>
internal sealed class ApplauseImport(GrainCalls calls, OperatorDoor door)
{
    private const string Reason = "imported from applause-button";
    private const int EntryLimit = 1_000;
    private const int BodyByteLimit = 1024 * 1024;
    private const int CallsAtOnce = 16;
    private const long MostClaps = (1L << 53) - 1;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var import = ActivatorUtilities.CreateInstance<ApplauseImport>(routes.ServiceProvider);
        routes.MapOperators(HttpMethods.Post, "/api/v1/imports/applause", import.ImportAsync, "import", ApplauseOperations.Import);
    }

    private async Task ImportAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is not { } origin) return;
        var body = await JsonBody.ReadAsync(context.Request, BodyByteLimit, Parse);
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var entries = body.Value;
        var writes = entries.ConvertAll(entry => new OpeningWrite(entry.TargetId, entry.Opening, Reason, origin) { RequestAborted = context.RequestAborted });
        var statuses = new CallStatus[writes.Count];
        await Parallel.ForAsync(
            0, writes.Count, new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce, CancellationToken = context.RequestAborted },
            async (index, _) => statuses[index] = await calls.CallAsync(writes[index]));
        if (statuses.Length > 0 && Array.TrueForAll(statuses, static status => status is CallStatus.Unavailable or CallStatus.Paused))
        {
            await HeartRefusals.WriteFailedAsync(context, statuses[0], default, writes[0].RetryAfterSeconds);
            return;
        }

        ImportedEntry[] results = [.. entries.Select((entry, index) => new ImportedEntry(
            entry.Url, entry.TargetId, entry.Opening,
            statuses[index] != CallStatus.Answered || writes[index].Outcome != HeartOutcome.Committed ? "failed" : writes[index].Value.Changed ? "set" : "unchanged"))];
        await context.Response.WriteAsJsonAsync(
            new Imported(results.Count(static entry => entry.Result == "set"), results.Count(static entry => entry.Result == "unchanged"), results.Count(static entry => entry.Result == "failed"), results),
            ImportJson.Default.Imported, cancellationToken: context.RequestAborted);
    }

    private static Parsed<List<Entry>> Parse(ReadOnlySpan<byte> json)
    {
        DumpedPage?[]? dump;
        try
        {
            dump = JsonSerializer.Deserialize(json, ImportJson.Default.DumpedPageArray);
        }
        catch (JsonException exception)
        {
            return new(null!, new Rejection(Problem.InvalidJson, "The body is not the JSON array that is wanted.")
                .Add(exception.Path is { Length: > 1 } path ? path[1..].TrimStart('.') : "body", "must be an array of objects with the fields url, a string, and claps, a whole number"));
        }

        if (dump is null || dump.Length is 0 or > EntryLimit)
            return new(null!, new Rejection(Problem.InvalidFields, "See errors for each field.").Add("body", $"must be an array of 1 to {EntryLimit} entries"));

        var entries = new List<Entry>(dump.Length);
        var firsts = new Dictionary<string, int>(dump.Length);
        var wrong = new Rejection(Problem.InvalidFields, "Nothing was stored: see errors for each entry.");
        foreach (var (index, page) in dump.Index())
        {
            if (page?.Claps is not (>= 0 and <= MostClaps)) wrong.Add($"[{index}].claps", "must be a whole number from 0 to 2^53-1");
            if (page?.Url is not { } url || ApplausePage.Of(url) is not { } target) wrong.Add($"[{index}].url", "must be the address of a page");
            else if (!firsts.TryAdd(target.TargetId, index)) wrong.Add($"[{index}].url", $"is the same page as [{firsts[target.TargetId]}]: add their claps up");
            else entries.Add(new Entry(url, target.TargetId, page.Claps ?? 0));
        }

        return wrong.Errors.Count > 0 ? new(null!, wrong) : new(entries, null);
    }

    private readonly record struct Entry(string Url, string TargetId, long Opening);
}

/// <summary>Sets a target's opening balance.</summary>
internal sealed class OpeningWrite(string targetId, long opening, string reason, HeartOrigin origin) : GrainCall<OpeningReceipt>
{
    private IHeartGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Heart(targetId);

    protected override ValueTask<OpeningReceipt> SendAsync(CancellationToken cancellationToken) => _grain.SetOpeningAsync(opening, reason, origin, cancellationToken);

    protected override HeartOutcome OutcomeOf(in OpeningReceipt value) => value.Outcome;
}

/// <summary>An entry of a dump.</summary>
internal sealed record DumpedPage(string? Url, long? Claps);

/// <summary>What was done.</summary>
internal sealed record Imported(int Set, int Unchanged, int Failed, ImportedEntry[] Entries);

/// <summary>What was done of an entry: <c>set</c>, <c>unchanged</c> or <c>failed</c>, which may have been set.</summary>
internal sealed record ImportedEntry(string Url, string TargetId, long Opening, string Result);

[JsonSerializable(typeof(DumpedPage[]))]
[JsonSerializable(typeof(Imported))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false)]
internal sealed partial class ImportJson : JsonSerializerContext;
