using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Postern.Web.Parts;
using Postern.Web.Tests.Pages;

namespace Postern.Web.Tests.Browser;

/// <summary>The pages in a real browser, started once for all of these tests.</summary>
public sealed class ChromiumTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>
{
    private const int Narrow = 360;

    /// <summary>axe finds nothing on any page, in either theme; the pictures of docs/console are taken on the way.</summary>
    [Theory]
    [InlineData("light")]
    [InlineData("dark")]
    public async Task Everybody_can_use_every_page(string theme)
    {
        var browser = await chromium.BrowserAsync();
        await using var host = await ConsoleHost.StartAsync();
        await using var context = await ContextAsync(browser, host, theme, 1280, 800);
        var page = await context.NewPageAsync();
        var troubles = Troubles(page);
        foreach (var name in SamplePages.Names.Where(name => theme == "light" || IsTypical(name)))
        {
            await page.GotoAsync($"{host.Url}/sample/{name}");
            var found = await page.RunAxe();
            troubles.AddRange(found.Violations.Select(v => $"{name}: {v.Id}: {v.Help}: {string.Join(" | ", v.Nodes.Take(3).Select(static n => n.Html))}"));
            if (ChromiumFixture.WritesDocs && (theme == "light" || name.EndsWith("-full", StringComparison.Ordinal)))
                await page.ScreenshotAsync(new PageScreenshotOptions
                {
                    Path = Path.Join(ChromiumFixture.Pictures, theme == "light" ? $"{name}.png" : $"{name}-dark.png"),
                    FullPage = !name.EndsWith("-full", StringComparison.Ordinal) && !name.EndsWith("-ask", StringComparison.Ordinal),
                });
        }

        Assert.Empty(troubles);
    }

    [Fact]
    public async Task Every_page_fits_a_telephone_and_twice_the_size()
    {
        var browser = await chromium.BrowserAsync();
        await using var host = await ConsoleHost.StartAsync();
        var troubles = new List<string>();
        // 640 CSS pixels are 1280 at 200 %.
        foreach (var width in (int[])[Narrow, 640])
        {
            await using var context = await ContextAsync(browser, host, "light", width, 740);
            var page = await context.NewPageAsync();
            foreach (var name in SamplePages.Names)
            {
                await page.GotoAsync($"{host.Url}/sample/{name}");
                var widest = await page.EvaluateAsync<int>("document.documentElement.scrollWidth");
                if (widest > width)
                    troubles.Add($"{name} is {widest} wide at {width}");
                if (ChromiumFixture.WritesDocs && width == Narrow && name.EndsWith("-full", StringComparison.Ordinal))
                    await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Join(ChromiumFixture.Pictures, $"{name}-narrow.png") });
            }
        }

        Assert.Empty(troubles);
    }

    /// <summary>A dialog, an error, a request elsewhere: none of it happens, whatever stands in the mail.</summary>
    [Fact]
    public async Task Hostile_texts_do_nothing()
    {
        var browser = await chromium.BrowserAsync();
        var (all, next) = (HostileTexts.All, 0);
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var host = await ConsoleHost.StartAsync(
            text => said.TryGetValue(text, out var hostile) ? hostile : said[text] = all[next++ % all.Length] + next);
        await using var context = await ContextAsync(browser, host, "light", 1280, 800);
        var page = await context.NewPageAsync();
        var troubles = Troubles(page);
        foreach (var name in SamplePages.Names)
            await page.GotoAsync($"{host.Url}/sample/{name}");
        Assert.Empty(troubles);
    }

    [Fact]
    public async Task Pages_are_used_with_keys_and_questions_stand_before_them()
    {
        var browser = await chromium.BrowserAsync();
        await using var host = await ConsoleHost.StartAsync();
        await using var context = await ContextAsync(browser, host, "light", 1280, 800);
        var page = await context.NewPageAsync();
        var troubles = Troubles(page);
        await page.GotoAsync(host.Url);
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("q");
        await page.WaitForURLAsync("**/queue");
        // The first row, its check box, and the question about it.
        await page.Keyboard.PressAsync("j");
        await page.Locator("main form[action='/queue'] button[value=remove]").First.ClickAsync();
        await page.Locator("dialog:modal").WaitForAsync();
        Assert.Contains("ask=remove", page.Url, StringComparison.Ordinal);
        // The count is typed before anything is removed: the form does not go without it.
        await page.Locator("dialog button.danger").ClickAsync();
        Assert.False(await page.Locator("dialog input[name=count]").EvaluateAsync<bool>("field => field.validity.valid"));
        await page.Keyboard.PressAsync("Escape");
        await page.Locator("dialog:modal").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Detached });
        Assert.DoesNotContain("ask=", page.Url, StringComparison.Ordinal);
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("bart@example.net");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**/messages?q=bart%40example.net");
        Assert.Empty(troubles);
    }

    [Fact]
    public async Task Without_a_script_questions_and_links_work_all_the_same()
    {
        var browser = await chromium.BrowserAsync();
        await using var host = await ConsoleHost.StartAsync();
        await using var context = await browser.NewContextAsync(new BrowserNewContextOptions { JavaScriptEnabled = false });
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{host.Url}/queue");
        await page.Locator("button[value=remove]").First.ClickAsync();
        Assert.True(await page.Locator("dialog h2").IsVisibleAsync());
        await page.Locator("dialog a").ClickAsync();
        await page.GotoAsync($"{host.Url}/messages");
        await page.Locator(".rows a").First.ClickAsync();
        Assert.Contains("/messages/", page.Url, StringComparison.Ordinal);
    }

    /// <summary>A theme only changes colours: these have all of them.</summary>
    private static bool IsTypical(string name) => name.Split('-', 2)[^1] is "full" or "ask" or "error" or "stale" or "empty" or "what-if";

    private static async Task<IBrowserContext> ContextAsync(IBrowser browser, ConsoleHost host, string theme, int width, int height)
    {
        var context = await browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            TimezoneId = "Europe/Berlin",
            Locale = "en-GB",
        });
        await context.AddCookiesAsync([new Cookie { Name = Preferences.Cookie, Value = $"{theme}.utc.on", Url = host.Url }]);
        return context;
    }

    /// <summary>What must not happen on any page, as it happens.</summary>
    private static List<string> Troubles(IPage page)
    {
        var troubles = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                troubles.Add($"{page.Url}: console: {message.Text}");
        };
        page.PageError += (_, error) => troubles.Add($"{page.Url}: error: {error}");
        page.Dialog += (_, dialog) => troubles.Add($"{page.Url}: dialog: {dialog.Message}");
        page.RequestFailed += (_, request) => troubles.Add($"{page.Url}: request: {request.Url}");
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("http://127.0.0.1:", StringComparison.Ordinal))
                troubles.Add($"{page.Url}: request elsewhere: {request.Url}");
        };
        return troubles;
    }
}
