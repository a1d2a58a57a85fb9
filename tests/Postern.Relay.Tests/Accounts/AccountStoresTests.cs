using Postern.Relay.Accounts;
using Postern.Relay.Accounts.Stores;
using Postern.Relay.Accounts.Stores.Asking;

namespace Postern.Relay.Tests.Accounts;

public sealed class AccountStoresTests
{
    [Fact]
    public void Every_store_of_the_assembly_is_on_the_list()
    {
        using var fixture = new DirectoryFixture();
        var keys = new StoreKeys(("query", "select password from users where email = @user")) { Problems = [] };
        var listed = AccountStores.All.Select(kind => (kind.Word, Store: kind.Open(fixture.StoreContext, kind.Read(keys, new AccountSource(kind.Word == "users" ? "users" : kind.Example, "r"))))).ToList();
        Assert.All(listed, line => Assert.StartsWith(line.Word, line.Store.Name, StringComparison.Ordinal));
        var written = typeof(IAccountStore).Assembly.GetTypes().Where(t => t.IsClass && !t.IsAbstract && t.IsAssignableTo(typeof(IAccountStore)) && t != typeof(BoundedStore) && t != typeof(RoutedStore));
        var missing = written.Except(listed.Select(line => line.Store.GetType())).Select(t => $"AccountStores.All has no line for {t.Name}");
        Assert.Empty(missing);
    }

    [Theory]
    [InlineData("directory", null)]
    [InlineData("file:///etc/passwd", null)]
    [InlineData("FILE:/etc/passwd", null)]
    [InlineData("directory:x", "is written 'directory'")]
    [InlineData("file", "names no file")]
    [InlineData("file:", "names no file")]
    [InlineData("file://relative", "names no file")]
    [InlineData("digest:///", "names no file")]
    [InlineData("digest:///directory/", "names no file")]
    [InlineData("dgest:///x", "did you mean 'digest'?")]
    [InlineData("", "there is no store")]
    public void An_entry_that_names_no_store_is_told_so(string uri, string? problem)
    {
        var said = AccountStores.WhyNot(new AccountSource(uri, "r"));
        if (problem is null)
            Assert.Null(said);
        else
            Assert.Contains(problem, said, StringComparison.Ordinal);
    }
}
