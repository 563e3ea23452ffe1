package budget
import ("testing";"time";"fmt";"context";"steward/ent";"steward/internal/platform/store";"steward/internal/testkit")
func TestZBench(t *testing.T){ testkit.Databases(t, func(t *testing.T, s *store.Store){
 w:=build(t,s); var lines []*ent.BudgetLine
 must(t,s.Tx(testkit.System(),func(ctx context.Context,c *ent.Client) error{ for i:=range 252 { lines=append(lines,c.BudgetLine.Create().SetName(fmt.Sprint(i)).SetPlanID(w.plan.ID).SaveX(ctx))}; return nil}))
 var edits []CellEdit
 for _,l:=range lines { for _,p:=range calendarOf(4).Periods(2026,"MONTH"){ edits=append(edits,CellEdit{l.ID,p,Planned,amount("12.5"),0})}}
 t0:=time.Now(); set(t,w.manager,s,edits...); t.Logf("3024 cells written in %v",time.Since(t0))
 for range 3 { t0=time.Now(); grid(t,w.manager,s); t.Logf("grid %v",time.Since(t0))}
 for i:=range 3 { t0=time.Now(); set(t,w.manager,s,edit(lines[0],"2026-04",Planned,fmt.Sprint(i),i+1)); t.Logf("one cell %v",time.Since(t0))
  t0=time.Now(); SetCells(w.manager,s,SetCellsInput{NoTotals:true,Cells:[]CellEdit{edit(lines[1],"2026-04",Planned,fmt.Sprint(i),i+1)}}); t.Logf("one cell, no totals %v",time.Since(t0))}
 for i:=range edits[:500]{ edits[i].Version=1; edits[i].Amount=amount("3")}
 t0=time.Now(); set(t,w.manager,s,edits[24:500]...); t.Logf("476 cells changed in %v",time.Since(t0))
})}
