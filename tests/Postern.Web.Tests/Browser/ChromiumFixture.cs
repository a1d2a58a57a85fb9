using Microsoft.Playwright;
using Postern.Testing;

namespace Postern.Web.Tests.Browser;

/// <summary>One browser, Debian's; tests of it are skipped by name where it is not installed.</summary>
public sealed class ChromiumFixture : IAsyncDisposable
{
    private const string Executable = "/usr/bin/chromium";

    private readonly SemaphoreSlim gate = new(1);
    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>The pictures of the documentation are taken anew.</summary>
    public static bool WritesDocs => Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1";

    public static string Pictures => Directory.CreateDirectory(Path.Join(SourceTree.Root, "docs", "console")).FullName;

    public async Task<IBrowser> BrowserAsync()
    {
        Assert.SkipUnless(File.Exists(Executable), "chromium is not installed");
        await gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            playwright ??= await Playwright.CreateAsync();
            return browser ??= await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
            {
                ExecutablePath = Executable, Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            });
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
            await browser.DisposeAsync();
        playwright?.Dispose();
        gate.Dispose();
    }
}
