using Postern.Web.Access;

namespace Postern.Web.Tests;

public class ScopesTests
{
    [Fact]
    public void Every_scope_has_one_word()
    {
        var scopes = Enum.GetValues<Scopes>().Where(static s => s != Scopes.None).ToArray();
        Assert.Equal(scopes.Order(), ScopeWords.All.Select(static one => one.Scope).Order());
        Assert.Equal(scopes.Length, ScopeWords.All.Select(static one => one.Word).Distinct().Count());
    }

    [Fact]
    public void A_star_means_all_that_begin_so_and_nothing_else()
    {
        Assert.True(ScopeWords.TryParse(["queue.*", "messages.send"], out var scopes, out _));
        Assert.Equal(Scopes.QueueRead | Scopes.QueueWrite | Scopes.MessagesSend, scopes);
        foreach (var wrong in (string[])["*", "queue", "queue.", "que*", "Queue.read", "", "owner.*"])
        {
            Assert.False(ScopeWords.TryParse(["queue.read", wrong], out _, out var word));
            Assert.Equal(wrong, word);
        }
    }

    [Fact]
    public void Only_the_owner_reads_content_and_changes_who_may()
    {
        foreach (var role in Role.All.Where(static r => r != Role.Owner))
        {
            Assert.Equal(Scopes.None, role.Scopes & (Scopes.MessagesContent | Scopes.Owner));
            Assert.Equal(role.Scopes, role.Scopes & Role.Owner.Scopes);
        }
    }

    [Fact]
    public void A_tenant_has_nothing_that_is_the_whole_servers()
    {
        foreach (var role in Role.All.Where(static r => r.IsTenants))
            Assert.Equal(Scopes.None, role.Scopes & (Scopes.StatusRead | Scopes.MetricsRead | Scopes.ServerWrite | Scopes.PolicySimulate));
    }
}
