using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using Postern.Relay.Audit;
using Postern.Web.Parts;

namespace Postern.Web.Tests.Pages;

public class PageTests
{
    private const int MostOfPage = 60_000;
    private const int MostOfAssets = 60_000;
    private const int MostOfFirstLoad = 150_000;
    private const int MostOfScript = 12 * 1024;

    public static TheoryData<string> Names => [.. SamplePages.Names];

    [Theory, MemberData(nameof(Names))]
    public async Task A_page_has_nothing_inline(string name)
    {
        var page = Parse(await RenderAsync(name));
        Assert.Empty(page.QuerySelectorAll("style"));
        Assert.All(page.QuerySelectorAll("script"), static script =>
        {
            Assert.StartsWith(Asset.Folder, script.GetAttribute("src"), StringComparison.Ordinal);
            Assert.Empty(script.TextContent);
        });
        foreach (var element in page.All)
        {
            foreach (var attribute in element.Attributes)
            {
                Assert.False(attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase), $"{element.TagName} {attribute.Name}");
                Assert.NotEqual("style", attribute.Name);
                Assert.DoesNotContain("javascript:", attribute.Value, StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_page_can_be_used_by_everybody(string name)
    {
        var page = Parse(await RenderAsync(name));
        Assert.Equal("en", page.DocumentElement.GetAttribute("lang"));
        Assert.NotEmpty(page.Title!);
        Assert.Single(page.QuerySelectorAll("h1"));
        Assert.Equal("#main", page.QuerySelector("a.skip")!.GetAttribute("href"));
        Assert.Single(page.QuerySelectorAll("main#main"));
        var ids = page.All.Select(static e => e.Id).Where(static id => !string.IsNullOrEmpty(id)).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(page.QuerySelectorAll("form"), static form =>
        {
            Assert.Contains(form.GetAttribute("method"), (string[])["get", "post"]);
            Assert.StartsWith("/", form.GetAttribute("action"), StringComparison.Ordinal);
        });
        Assert.All(page.QuerySelectorAll("form[method=post]"), static form => Assert.NotNull(form.QuerySelector("input[name=__token]")));
        Assert.All(page.QuerySelectorAll("input:not([type=hidden]), select"), field =>
            Assert.True(
                field.Closest("label") is not null || field.HasAttribute("aria-label") || page.QuerySelector($"label[for={field.Id}]") is not null,
                field.OuterHtml));
        Assert.All(page.QuerySelectorAll("table"), static table => Assert.NotNull(table.QuerySelector("caption")));
        Assert.All(page.QuerySelectorAll("main a"), static a => Assert.Matches("^(/|#)", a.GetAttribute("href")!));
        Assert.All(page.QuerySelectorAll("time"), static time => Assert.EndsWith("Z", time.GetAttribute("datetime"), StringComparison.Ordinal));
        // State is a word, and its shape says the same.
        Assert.All(page.QuerySelectorAll(".state"), static state =>
        {
            Assert.NotEmpty(state.TextContent.Trim());
            Assert.NotNull(state.QuerySelector("svg[aria-hidden=true] :is(circle, path)"));
        });
    }

    [Theory, MemberData(nameof(Names))]
    public async Task A_page_is_small(string name)
    {
        var html = await RenderAsync(name);
        var octets = System.Text.Encoding.UTF8.GetByteCount(html);
        Assert.True(octets < MostOfPage, $"{name} has {octets} octets");
        Assert.True(octets + AssetFiles.All.Sum(static a => a.Content.Length) < MostOfFirstLoad);
    }

    [Fact]
    public void The_assets_are_small()
    {
        Assert.InRange(AssetFiles.All.Sum(static asset => asset.Content.Length), 1, MostOfAssets);
        Assert.InRange(AssetFiles.Script.Content.Length, 1, MostOfScript);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Whatever_a_stranger_writes_is_text(string name)
    {
        await using var renderer = new PageRenderer();
        // Texts that differ stay different: the page has the same parts whatever they hold.
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        string Number(string text)
        {
            if (!numbers.TryGetValue(text, out var number))
                numbers[text] = number = numbers.Count;
            return number.ToString("000", System.Globalization.CultureInfo.InvariantCulture);
        }

        var plain = Parse(await RenderAsync(renderer, name, text => $"{Number(text)}plain"));
        var (shape, count) = (Shape(plain), Showing(plain, "plain"));
        Assert.True(count > 0, name);
        foreach (var hostile in HostileTexts.All)
        {
            var page = Parse(await RenderAsync(renderer, name, text => $"{Number(text)}{hostile}"));
            Assert.Equal(shape, Shape(page));
            Assert.Equal(count, Showing(page, PrintableText.Of(hostile)));
            Assert.DoesNotContain(page.DocumentElement.TextContent, static c => c is '\u202E' or '\u2066' or '\u0007' or '\u001B' or '\0');
        }
    }

    [Fact]
    public async Task A_setting_is_on_every_page()
    {
        await using var renderer = new PageRenderer();
        var dark = new Preferences("dark", "utc", "off");
        foreach (var sample in SamplePages.Of(static text => text))
        {
            var page = Parse(await sample.RenderAsync(renderer, frame => frame with { Preferences = dark }));
            Assert.Equal("dark", page.DocumentElement.GetAttribute("data-theme"));
            Assert.Equal("utc", page.DocumentElement.GetAttribute("data-clock"));
            Assert.Equal("dark", ((IHtmlSelectElement)page.QuerySelector("select[name=theme]")!).Value);
        }
    }

    [Fact]
    public async Task An_unknown_parameter_is_told_and_not_dropped()
    {
        var page = Parse(await RenderAsync("messages-stale"));
        Assert.Contains("Ignored: colour x", Squeezed(page.QuerySelector(".ignored")!.TextContent), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_done_to_many_has_its_count_typed_and_its_command_shown()
    {
        var page = Parse(await RenderAsync("queue-ask"));
        var dialog = page.QuerySelector("dialog")!;
        Assert.Equal("Remove: 640 messages", dialog.QuerySelector("h2")!.TextContent.Trim());
        Assert.Equal("640", dialog.QuerySelector("input[name=count]")!.GetAttribute("pattern"));
        Assert.Equal("postern queue remove --to example.net", dialog.QuerySelector(".cli code")!.TextContent);
        Assert.Equal("640", dialog.QuerySelector("input[name=shown]")!.GetAttribute("value"));
        Assert.Null(Parse(await RenderAsync("message-ask")).QuerySelector("dialog input[name=count]"));
    }

    [Fact]
    public async Task The_page_of_a_message_begins_with_where_it_is()
    {
        var page = Parse(await RenderAsync("message-full"));
        Assert.StartsWith(
            "failed Delivered to 1 of 3; bart@example.net deferred, next try in 14 min: 450 4.2.1",
            Squeezed(page.QuerySelector(".lead")!.TextContent),
            StringComparison.Ordinal);
        var rows = page.QuerySelectorAll(".timeline > li").Select(static row => Squeezed(row.QuerySelector("strong")!.TextContent)).ToList();
        Assert.Equal("Login", rows[0]);
        Assert.Contains("Accepted: on disk, answered 250", rows);
        Assert.Contains("queue retry", rows);
        Assert.Contains("Neither SPF nor DKIM proves", page.QuerySelector(".timeline")!.TextContent, StringComparison.Ordinal);
    }

    /// <summary>How often a text is shown; what stands in an event's JSON is escaped as JSON is.</summary>
    private static int Showing(IHtmlDocument page, string text) =>
        page.QuerySelectorAll(":not(pre) > bdi").Count(bdi => bdi.TextContent.Contains(text, StringComparison.Ordinal));

    private static string Squeezed(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Every element with the names of its attributes, in order.</summary>
    private static string Shape(IHtmlDocument page) => string.Join(
        '\n', page.All.Select(static e => $"{e.TagName} {string.Join(' ', e.Attributes.Select(static a => a.Name))}"));

    private static IHtmlDocument Parse(string html) => new HtmlParser().ParseDocument(html);

    private static async Task<string> RenderAsync(string name)
    {
        await using var renderer = new PageRenderer();
        return await RenderAsync(renderer, name, static text => text);
    }

    private static Task<string> RenderAsync(PageRenderer renderer, string name, Func<string, string> say) =>
        SamplePages.Of(say).Single(page => page.Name == name).RenderAsync(renderer, static frame => frame);
}
