using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using HeartGrains.Gateway.Buttons;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Applause;

/// <summary>
/// The calls of the npm package <c>applause-button</c> under <c>/applause</c>. It shows whatever it is answered as a number, so a refusal is the total as it is, by which the button
/// knows that it was one. However often a reader claps, it is one heart.
/// </summary>
internal sealed class ApplauseEndpoints(ButtonHearts hearts, ButtonDoor door, HeartGiving giving, AddressReaderRules addressReaders)
{
    private const int PageLimit = 100;
    private const int ClapsByteLimit = 1024;
    private const int PagesByteLimit = 160 * 1024;
    private static readonly JsonReaderOptions JsonReading = new() { MaxDepth = 2 };

    public static void Map(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var options = services.GetRequiredService<IConfiguration>().ReadChecked<ApplauseOptions>(ApplauseOptions.SectionName);
        var rules = AddressReaderRules.Parse($"{ApplauseOptions.SectionName}:{nameof(ApplauseOptions.AddressReaders)}", options.AddressReaders);
        if (!options.Enabled) return;
        var endpoints = ActivatorUtilities.CreateInstance<ApplauseEndpoints>(services, rules);
        var times = services.GetRequiredService<GatewayMetrics>().TimesOf("applause");
        MapCall("get-claps", HttpMethods.Get, endpoints.GetClapsAsync, ApplauseOperations.GetClaps);
        MapCall("update-claps", HttpMethods.Post, endpoints.UpdateClapsAsync, ApplauseOperations.UpdateClaps);
        MapCall("get-multiple", HttpMethods.Post, endpoints.GetMultipleAsync, ApplauseOperations.GetMultiple);

        void MapCall(string name, string method, RequestDelegate answer, Operation operation) =>
            routes.Map("/applause/" + name, context => AnswerAsync(context, method, answer)).WithMetadata(times).WithDisplayName("applause").Describe(operation);
    }

    private static Task AnswerAsync(HttpContext context, string method, RequestDelegate answer)
    {
        ButtonCalls.OpenToEverybody(context);
        var asked = context.Request.Method;
        if (HttpMethods.IsOptions(asked)) return Task.CompletedTask;
        if (HttpMethods.Equals(asked, method) || (HttpMethods.IsHead(asked) && HttpMethods.IsGet(method))) return answer(context);
        context.Response.Headers.Allow = method + ", OPTIONS";
        return ButtonCalls.RefuseAsync(context, Problem.MethodNotAllowed, $"Call it with {method}.");
    }

    /// <summary><c>GET get-claps?url=…</c>: the total.</summary>
    private async Task GetClapsAsync(HttpContext context)
    {
        if (ApplausePage.Of(context.Request) is not { } page) await NumberAsync(context, 0);
        else await NumberAsync(context, ButtonCalls.TotalOf(await ReadAsync(context, page, null, door.Admits(context)) ?? default));
    }

    /// <summary><c>POST update-claps?url=…</c>: a heart of the reader's, and the total.</summary>
    private async Task UpdateClapsAsync(HttpContext context)
    {
        var body = await BoundedBody.ReadAsync(context.Request, ClapsByteLimit);
        if (ApplausePage.Of(context.Request) is not { } page)
        {
            giving.CountInvalid(HeartOperation.Give);
            await RefuseAsync(context, Problem.InvalidQuery, 0);
            return;
        }

        var isAdmitted = door.Admits(context);
        var reader = hearts.ReaderOf(context, addressReaders.Of(page.Site));
        var state = await ReadAsync(context, page, reader, isAdmitted);
        var total = ButtonCalls.TotalOf(state ?? default);
        if ((body is null || !AreClaps(body.WrittenSpan) ? Problem.BadRequest : !isAdmitted ? Problem.QuotaExceeded : reader is null ? Problem.OriginNotAllowed : null) is { } problem)
        {
            giving.CountInvalid(HeartOperation.Give);
            await RefuseAsync(context, problem, total);
            return;
        }

        // A reader who has clapped before costs no quota; and what cannot be read cannot be given either.
        if (state is not { Hearted: false })
        {
            await NumberAsync(context, total);
            return;
        }

        var result = await hearts.GiveAsync(context, page.TargetId, reader!);
        if (result.Refusal is null) await NumberAsync(context, state.Value.Opening + result.Receipt.Count);
        else await RefuseAsync(context, ButtonCalls.ProblemOf(result.Result) ?? Problem.Unavailable, total);
    }

    /// <summary><c>POST get-multiple</c> with a list of addresses: the totals of those that are known.</summary>
    private async Task GetMultipleAsync(HttpContext context)
    {
        if (await BoundedBody.ReadAsync(context.Request, PagesByteLimit) is not { } body || ReadAddresses(body.WrittenSpan) is not { } addresses)
        {
            await ButtonCalls.RefuseAsync(context, Problem.BadRequest, $"The body must be a JSON array of at most {PageLimit} addresses, in {PagesByteLimit} bytes.");
            return;
        }

        var pages = addresses.ConvertAll(static address => (Address: address, Page: ApplausePage.Of(address)));
        pages.RemoveAll(static page => page.Page is null);
        string[] targets = [.. pages.Select(static page => page.Page!.Value.TargetId)];
        var states = targets.Length == 0 ? [] : (door.Admits(context) ? await hearts.ReadAsync(context, targets) : hearts.Recall(targets)).States;
        var answer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(answer))
        {
            json.WriteStartArray();
            for (var index = 0; index < states.Length; index++)
            {
                if (states[index] is not { } state || (state.Version == 0 && state.Opening == 0)) continue;
                json.WriteStartObject();
                json.WriteString("url"u8, pages[index].Address);
                json.WriteNumber("claps"u8, ButtonCalls.TotalOf(state));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        await ButtonCalls.SendAsync(context, StatusCodes.Status200OK, "application/json", answer.WrittenSpan);
    }

    private async ValueTask<HeartState?> ReadAsync(HttpContext context, ApplausePage page, string? reader, bool isAdmitted)
    {
        var reading = isAdmitted ? await hearts.ReadAsync(context, [page.TargetId], reader) : hearts.Recall([page.TargetId]);
        if (!reading.IsFresh) ButtonCalls.Name(context, Problem.Unavailable);
        return reading.States[0];
    }

    private static Task RefuseAsync(HttpContext context, Problem problem, long total)
    {
        ButtonCalls.Name(context, problem);
        return NumberAsync(context, total);
    }

    private static Task NumberAsync(HttpContext context, long number) =>
        ButtonCalls.SendAsync(context, StatusCodes.Status200OK, "application/json", Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A number of claps, or a string of one and the button's version: <c>3</c>, <c>"3,4.0.5"</c>. How many is all one.</summary>
    private static bool AreClaps(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, JsonReading);
        try
        {
            if (!reader.Read()) return false;
            var isNumber = reader.TokenType switch
            {
                JsonTokenType.Number => reader.TryGetDouble(out _),
                JsonTokenType.String => double.TryParse(reader.GetString()!.Split(',')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out _),
                _ => false,
            };
            return isNumber && !reader.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static List<string>? ReadAddresses(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, JsonReading);
        var addresses = new List<string>();
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.String)
            {
                if (addresses.Count == PageLimit) return null;
                addresses.Add(reader.GetString()!);
            }

            return reader.TokenType == JsonTokenType.EndArray && !reader.Read() ? addresses : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
