using Deque.AxeCore.Playwright;
using HeartGrains.Gateway.Pages;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Pages;

/// <summary>
/// Every page in every language and colour scheme: accessible, within its policy, asking no other host, fitting the smallest screen. With
/// <c>HEARTGRAINS_SCREENSHOTS</c> set to a folder, the pictures of the documentation are made on the way.
/// </summary>
public sealed class PageLooksTests(LocalBrowser browser, PageServer server) : IClassFixture<PageServer>
{
    private static readonly (int Width, int Height) Desktop = (1280, 800);
    private static readonly (int Width, int Height) HomePicture = (1280, 2100);
    private static readonly (int Width, int Height) DemoPicture = (1280, 1540);
    private static readonly (int Width, int Height) Phone = (390, 844);
    private static readonly (int Width, int Height) Smallest = (320, 568);

    private static readonly string? Pictures = Environment.GetEnvironmentVariable("HEARTGRAINS_SCREENSHOTS");

    public static TheoryData<string, string, ColorScheme> Pages { get; } = new(
        from path in (string[])["/", "/demo"]
        from language in PageLanguages.All
        from scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark]
        select (path, language.Code, scheme));

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Page_InEveryLanguageAndScheme_IsCleanOnEveryScreen(string path, string language, ColorScheme scheme)
    {
        if (Pictures is not null) await FillAsync();
        await using var visit = await Visit.OpenAsync(
            browser, server.At($"{path}?lang={language}"), new() { ColorScheme = scheme, ViewportSize = new() { Width = Desktop.Width, Height = Desktop.Height } });
        await Assertions.Expect(visit.Page.Locator("heart-button").First.Locator("[part=count]")).Not.ToBeEmptyAsync();
        await visit.Page.EvaluateAsync("document.fonts.ready");

        (await visit.Page.RunAxe()).Violations
            .SelectMany(static violation => violation.Nodes.Select(node => $"{violation.Id}: {violation.Help}: {node.Html}")).ShouldBeEmpty();

        if (Pictures is not null) await TakePicturesAsync(visit, Name(path, language, scheme));
        await visit.Page.SetViewportSizeAsync(Smallest.Width, Smallest.Height);
        (await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(Smallest.Width);
        visit.ForeignRequests.ShouldBeEmpty();
        visit.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/", "heart-button.big")]
    [InlineData("/demo", "heart-button")]
    public async Task Keyboard_Alone_ReachesTheHeartAndGivesIt(string path, string heart)
    {
        await using var visit = await Visit.OpenAsync(browser, server.At(path));
        var button = visit.Page.Locator(heart).First.GetByRole(AriaRole.Button);
        for (var presses = 0; presses < 15 && !await button.EvaluateAsync<bool>("button => button.matches(':focus')"); presses++) await visit.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(button).ToBeFocusedAsync();
        (await button.EvaluateAsync<string>("button => getComputedStyle(button).outlineStyle")).ShouldBe("solid");
        await visit.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-pressed", "true");
    }

    /// <summary>Where the system chooses the colours, what is chosen stands on another ground than the rest of the page.</summary>
    [Theory]
    [InlineData("[role=tab][aria-selected=true]")]
    [InlineData(".languages span")]
    [InlineData(".sizes :checked + span")]
    public async Task Chosen_InForcedColors_IsMarked(string chosen)
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"), new() { ForcedColors = ForcedColors.Active });
        (await GroundOfAsync(chosen)).ShouldNotBe(await GroundOfAsync("body"));

        Task<string> GroundOfAsync(string selector) =>
            visit.Page.Locator(selector).First.EvaluateAsync<string>("element => getComputedStyle(element).backgroundColor");
    }

    private static string Name(string path, string language, ColorScheme scheme) =>
        (path == "/" ? "home" : path[1..]) + (language == "en" ? "" : "-" + language) + (scheme == ColorScheme.Dark ? "-dark" : "");

    /// <summary>Hearts of others, so that the pictures show a place that is lived in.</summary>
    private async Task FillAsync()
    {
        for (var user = 0; user < 57; user++)
        {
            (await server.Gateway.Client.GiveAsync("welcome", $"u{user}")).Dispose();
            for (var card = 1; card <= 9; card++)
                if (user % (card * 5 % 4 + 1) == 0 && user < 57 - card) (await server.Gateway.Client.GiveAsync($"demo:{card}", $"u{user}")).Dispose();
        }
    }

    private static async Task TakePicturesAsync(Visit visit, string name)
    {
        await Assertions.Expect(visit.Heart).ToHaveAttributeAsync("aria-pressed", "false");
        await visit.Heart.ClickAsync();
        var isHome = name.StartsWith("home", StringComparison.Ordinal);
        if (isHome) await Assertions.Expect(visit.Page.Locator("[data-news]")).ToContainTextAsync("+1");
        await visit.Page.Mouse.MoveAsync(0, 0);
        await TakeAsync("", isHome ? HomePicture : DemoPicture);
        await TakeAsync("-phone", Phone);

        async Task TakeAsync(string suffix, (int Width, int Height) screen)
        {
            await visit.Page.SetViewportSizeAsync(screen.Width, screen.Height);
            await visit.Page.ScreenshotAsync(new() { Path = Path.Combine(Pictures!, name + suffix + ".png"), Animations = ScreenshotAnimations.Disabled });
        }
    }
}
