using HeartGrains.Gateway.Buttons;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.OpenHeart;

/// <summary>
/// The Open Heart protocol (openheart.fyi) under <c>/oh/&lt;site&gt;/&lt;uid&gt;</c>: <c>POST</c> an emoji, <c>GET</c> the counts. Every emoji of a page is a target of its own; the
/// heart's is <c>oh:&lt;site&gt;/&lt;uid&gt;</c>, another's <c>oh:&lt;emoji&gt;:&lt;site&gt;/&lt;uid&gt;</c>.
/// </summary>
internal sealed class OpenHeartEndpoints(
    ButtonHearts hearts, ButtonDoor door, HeartGiving giving, SiteList sites, EmojiSet emojis, AddressReaderRules addressReaders)
{
    private const int BodyByteLimit = 8 * 1024;
    private const int ClientClosedRequest = 499;
    private const string FormType = "application/x-www-form-urlencoded";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var options = services.GetRequiredService<IConfiguration>().ReadChecked<OpenHeartOptions>(OpenHeartOptions.SectionName);
        var emojis = EmojiSet.Parse($"{OpenHeartOptions.SectionName}:{nameof(OpenHeartOptions.Emojis)}", options.Emojis);
        var rules = AddressReaderRules.Parse($"{OpenHeartOptions.SectionName}:{nameof(OpenHeartOptions.AddressReaders)}", options.AddressReaders);
        if (!options.Enabled) return;
        var endpoints = ActivatorUtilities.CreateInstance<OpenHeartEndpoints>(services, emojis, rules);
        var times = services.GetRequiredService<GatewayMetrics>().TimesOf("open_heart");
        routes.Map("/oh/{**page}", endpoints.AnswerAsync).WithMetadata(times).WithDisplayName("open_heart").Describe(OpenHeartOperations.Read, OpenHeartOperations.Give);
    }

    private Task AnswerAsync(HttpContext context)
    {
        ButtonCalls.OpenToEverybody(context);
        var method = context.Request.Method;
        if (HttpMethods.IsOptions(method)) return Task.CompletedTask;
        var isReading = HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
        if (!isReading && !HttpMethods.IsPost(method))
        {
            context.Response.Headers.Allow = "GET, HEAD, POST, OPTIONS";
            return ButtonCalls.RefuseAsync(context, Problem.MethodNotAllowed, "GET the counts, or POST an emoji.");
        }

        if (PageOf(context) is not { } page) return ButtonCalls.RefuseAsync(context, Problem.NotFound, "The path is /oh/<site>/<page>: a host, and anything that names a page of it.");
        if (!door.Admits(context)) return ButtonCalls.RefuseAsync(context, Problem.QuotaExceeded, "Nothing was done: the calls from this address are spent.", mayComeBack: true);
        return isReading ? ReadAsync(context, page) : GiveAsync(context, page);
    }

    /// <summary><c>GET</c>: the counts of the emoji that were given, by emoji.</summary>
    private async Task ReadAsync(HttpContext context, Page page)
    {
        var reading = await hearts.ReadAsync(context, Array.ConvertAll(emojis.All, emoji => page.TargetOf(emoji)!));
        if (!reading.IsFresh && Array.TrueForAll(reading.States, static state => state is null))
        {
            await ButtonCalls.RefuseAsync(context, Problem.Unavailable, "The counts cannot be read now.", mayComeBack: true);
            return;
        }

        if (!reading.IsFresh) context.Response.Headers.CacheControl = "no-store";
        var json = HeartJson.Start().Raw("{"u8);
        var isFirst = true;
        for (var index = 0; index < emojis.All.Length; index++)
        {
            if (reading.States[index] is not { } state || ButtonCalls.TotalOf(state) is not (> 0 and var total)) continue;
            if (!isFirst) json.Raw(","u8);
            isFirst = false;
            json.Text(emojis.All[index]).Raw(":"u8).Number(total);
        }

        await json.Raw("}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    /// <summary><c>POST</c>: the first grapheme of the body is given.</summary>
    private async Task GiveAsync(HttpContext context, Page page)
    {
        if (await BoundedBody.ReadAsync(context.Request, BodyByteLimit) is not { } body)
        {
            giving.CountInvalid(HeartOperation.Give);
            await ButtonCalls.RefuseAsync(context, Problem.BodyTooLarge, $"The body may be at most {BodyByteLimit} bytes.");
            return;
        }

        var emoji = EmojiSet.FirstOf(body.WrittenSpan, context.Request.ContentType?.StartsWith(FormType, StringComparison.OrdinalIgnoreCase) is true);
        if (!emojis.Takes(emoji))
        {
            giving.CountInvalid(HeartOperation.Give);
            await ButtonCalls.RefuseAsync(context, Problem.BadRequest, EmojiSet.IsEmoji(emoji)
                ? $"This emoji is not taken here; these are: {string.Join(' ', emojis.All)}"
                : "The body must begin with an emoji.");
            return;
        }

        if (hearts.ReaderOf(context, addressReaders.Of(page.Site)) is not { } reader)
        {
            giving.CountInvalid(HeartOperation.Give);
            await ButtonCalls.RefuseAsync(context, Problem.OriginNotAllowed, "Readers who bring no token cannot give hearts on this site.");
            return;
        }

        var result = await hearts.GivePatientlyAsync(context, page.TargetOf(emoji)!, reader);
        if (result.Refusal is null) await GivenAsync(context, emoji);
        else if (ButtonCalls.ProblemOf(result.Result) is { } problem) await ButtonCalls.RefuseAsync(context, problem, problem.Title, mayComeBack: true);
        else context.Response.StatusCode = ClientClosedRequest;
    }

    /// <summary>Back to the page where that is asked for and the page may be gone to.</summary>
    private Task GivenAsync(HttpContext context, string emoji)
    {
        if (context.Request.Query.TryGetValue("redirect", out var asked))
        {
            var target = asked is [{ Length: > 0 } url] ? url : context.Request.Headers.Referer.ToString();
            if (sites.TryReadPage(target, context, out var location))
            {
                context.Response.StatusCode = StatusCodes.Status303SeeOther;
                context.Response.Headers.Location = location;
                return Task.CompletedTask;
            }
        }

        return ButtonCalls.TextAsync(context, StatusCodes.Status200OK, emoji);
    }

    private static Page? PageOf(HttpContext context)
    {
        var path = (string?)context.Request.RouteValues["page"] ?? "";
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == path.Length - 1 || !ButtonCalls.IsSite(path.AsSpan(0, slash))) return null;
        var page = new Page(path[..slash].ToLowerInvariant(), path[(slash + 1)..]);
        return page.TargetOf(EmojiSet.Heart) is null ? null : page;
    }

    /// <summary>What is loved.</summary>
    private readonly record struct Page(string Site, string Uid)
    {
        // No site is an emoji, so the two forms cannot meet.
        public string? TargetOf(string emoji) => ButtonTarget.Of("oh", emoji == EmojiSet.Heart ? $"{Site}/{Uid}" : $"{emoji}:{Site}/{Uid}");
    }
}
